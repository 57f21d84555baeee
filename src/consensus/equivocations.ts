/**
 * Proofs that an author made two contributions in one round of one history. They are the headers themselves, named by
 * their ids as evidence: whoever links a contribution has checked its proofs, and once it is included and settled, they
 * count on every node.
 */
import { type ContributionId, type PeerId, type Refused, reject } from "../core/index.ts";
import type { Header } from "./header.ts";
import type { Contribution, View } from "./view.ts";

/** Proofs that one contribution names: two headers each, of 16 ids. */
const PROOFS_MAX = 8;
/** Proofs that are kept until somebody's is included; the oldest gives way. Guess. */
const KEPT_MAX = 256;

interface Proof {
  readonly author: PeerId;
  readonly round: number;
  readonly ids: readonly ContributionId[];
}

/** Of two such contributions that differ, one is too many: an author lives a round once in each history. */
export function isSameTurn(a: Header, b: Header): boolean {
  return a.author === b.author && a.round === b.round && a.settled.root === b.settled.root;
}

/** Whom a header's evidence convicts, sorted; refused when it proves nothing, or nothing recent. */
export function convictedBy(h: Header, evidence: readonly Header[]): readonly PeerId[] | Refused {
  const convicted = new Set<PeerId>();
  for (const one of evidence) {
    if (one.round >= h.round || one.round < h.settled.round) {
      return reject(
        "HEADER_EVIDENCE",
        `expected evidence of rounds ${h.settled.round} to ${h.round - 1}, got round ${one.round}`,
      );
    }
    if (!evidence.some((other) => other !== one && isSameTurn(one, other))) {
      return reject(
        "HEADER_EVIDENCE",
        `expected two contributions of ${one.author} in round ${one.round}, got one`,
      );
    }
    convicted.add(one.author);
  }
  return [...convicted].toSorted();
}

export class Equivocations {
  readonly #proofs = new Map<string, Proof>();

  /** Two contributions of one turn. */
  take(one: Contribution, other: Contribution): void {
    const { author, round, settled } = one.header;
    const key = `${author}/${round}/${settled.root}`;
    if (this.#proofs.has(key)) return;
    this.#proofs.set(key, { author, round, ids: [one.id, other.id] });
    const [oldest] = this.#proofs.keys();
    if (oldest !== undefined && this.#proofs.size > KEPT_MAX) this.#proofs.delete(oldest);
  }

  /** What a contribution on this view is to name: recent proofs that history has not heard yet. Sorted. */
  evidence(view: View): ContributionId[] {
    const isOpen = ({ round }: Proof): boolean => round >= view.settledRound && round < view.round;
    const open = [...this.#proofs.values()].filter(isOpen);
    if (open.length === 0) return [];
    const heard = lastConvictions(view);
    const news = open.filter(({ author, round }) => round >= (heard.get(author) ?? 0));
    // The newest of each author says all that an older one would.
    const byAuthor = new Map(
      news.toSorted((a, b) => a.round - b.round).map((proof) => [proof.author, proof]),
    );
    return [...byAuthor.values()]
      .slice(0, PROOFS_MAX)
      .flatMap(({ ids }) => ids)
      .toSorted();
  }
}

/** In which unsettled round each author was last convicted. */
function lastConvictions(view: View): Map<PeerId, number> {
  const last = new Map<PeerId, number>();
  for (let r = view.settledRound; r < view.round; r++) {
    for (const { convicts } of view.included(r)) for (const author of convicts) last.set(author, r);
  }
  return last;
}
