/**
 * The contributions we hold, linked to their parents. Admission checks all that headers can show about each other;
 * headers whose parents we lack are queued (bounded), never refused.
 */
import {
  type ContributionId,
  type Digest,
  type PeerId,
  type Refused,
  digestOf,
  digestToBytes,
  ignore,
  reject,
} from "../core/index.ts";
import type { Header } from "./header.ts";
import type { PhaseLimits } from "./rule.ts";
import { batchSeed } from "./settlement.ts";
import { type Contribution, View, type ViewContext, settledRoundAt } from "./view.ts";

/** Headers waiting for their parents; the oldest gives way. Guess: 64 authors for 64 rounds. */
export const WAITING_MAX = 4096;
/** Contributions kept of one author, round and history: two prove an equivocation, more prove nothing new. */
const PER_HISTORY_MAX = 2;
/** The same over all histories: who lost a history may come to the same round again in another. Guess. */
const PER_AUTHOR_MAX = 8;
/** Contributions kept per round, as a multiple of membersMax; beyond it only what others cite is let in. Guess. */
const PER_ROUND_FACTOR = 4;

export interface GraphOptions extends ViewContext {
  readonly limits: PhaseLimits;
  /** Root of the weights that the phase starts from. */
  readonly startRoot: Digest;
  /** The settled root of round 0: the start of the phase. */
  readonly startSettled: Digest;
  /** Root of empty moments and residual, which an author may always start again from. */
  readonly zeroState: Digest;
}

export type Admission =
  | { kind: "added"; contributions: readonly Contribution[] }
  /** Queued; `missing`: the parents that nothing was seen of yet. */
  | { kind: "waiting"; missing: readonly ContributionId[] }
  | Refused;

export class ContributionGraph {
  readonly #options: GraphOptions;
  readonly #byId = new Map<ContributionId, Contribution>();
  readonly #byRound: Contribution[][] = [];
  readonly #waiting = new Map<ContributionId, Header>();
  /** For a missing parent: who waits for it. */
  readonly #wantedBy = new Map<ContributionId, Set<ContributionId>>();

  constructor(options: GraphOptions) {
    this.#options = options;
  }

  get(id: ContributionId): Contribution | undefined {
    return this.#byId.get(id);
  }

  has(id: ContributionId): boolean {
    return this.#byId.has(id) || this.#waiting.has(id);
  }

  round(round: number): readonly Contribution[] {
    return this.#byRound[round] ?? [];
  }

  /** One above the highest round that anything is known of. */
  get roundsCount(): number {
    return this.#byRound.length;
  }

  /** Parents that queued headers wait for and that are not queued themselves. */
  missing(): ContributionId[] {
    return [...this.#wantedBy.keys()].filter((id) => !this.#waiting.has(id));
  }

  /** All of an author, by round. */
  of(author: PeerId): Contribution[] {
    return this.#byRound.flatMap((round) => round.filter(({ header }) => header.author === author));
  }

  /** The view from these parents; most contributions of a round cite the same ones and share it. */
  view(round: number, parents: readonly Contribution[]): View {
    const view = new View(this.#options, round, parents);
    return this.round(round).find((sibling) => sibling.view.sees(view.parents))?.view ?? view;
  }

  /**
   * Takes a header whose signature holds. Also links the queued headers that waited for it. `isKnown`: its author
   * weighs something, or is ourselves; free keys must not take the room of those.
   */
  add(id: ContributionId, header: Header, isKnown = false): Admission {
    if (this.has(id)) return ignore("HEADER_KNOWN", id);
    const misfit = this.#checkAlone(header);
    if (misfit?.kind === "reject") this.#dropChildren(id);
    const refused = misfit ?? this.#checkRoom(id, header, isKnown);
    if (refused !== undefined) return refused;
    const missing = header.parents.filter((parent) => !this.#byId.has(parent));
    if (missing.length > 0) return this.#queue(id, header, missing);
    const linked = this.#link(id, header);
    if (linked.kind !== "added") {
      this.#dropChildren(id);
      return linked;
    }
    return { kind: "added", contributions: [...linked.contributions, ...this.#release(id)] };
  }

  #link(id: ContributionId, header: Header): Admission {
    const parents = header.parents.map((parent) => this.#byId.get(parent) as Contribution);
    const contribution = { id, header, view: this.view(header.round, parents) };
    const misfit = checkParents(header, parents) ?? this.#checkContinuity(contribution);
    if (misfit !== undefined) return misfit;
    this.#byId.set(id, contribution);
    while (this.#byRound.length <= header.round) this.#byRound.push([]);
    this.#byRound[header.round]?.push(contribution);
    return { kind: "added", contributions: [contribution] };
  }

  #queue(id: ContributionId, header: Header, missing: readonly ContributionId[]): Admission {
    // The oldest gives way, or junk that names parents nobody has would fill the queue for ever.
    const [oldest] = this.#waiting.keys();
    if (oldest !== undefined && this.#waiting.size >= WAITING_MAX) this.#stopWaiting(oldest);
    this.#waiting.set(id, header);
    for (const parent of missing) {
      const children = this.#wantedBy.get(parent) ?? new Set();
      this.#wantedBy.set(parent, children.add(id));
    }
    return { kind: "waiting", missing: missing.filter((parent) => !this.#waiting.has(parent)) };
  }

  /** Links what waited for `arrived` and now has all its parents, and so on. A queued misfit is dropped. */
  #release(arrived: ContributionId): Contribution[] {
    const released: Contribution[] = [];
    const queue = [arrived];
    for (let id = queue.shift(); id !== undefined; id = queue.shift()) {
      const children = this.#wantedBy.get(id) ?? [];
      this.#wantedBy.delete(id);
      for (const child of children) {
        const header = this.#waiting.get(child);
        if (header === undefined || header.parents.some((parent) => !this.#byId.has(parent))) continue;
        this.#waiting.delete(child);
        const linked = this.#link(child, header);
        if (linked.kind !== "added") {
          this.#dropChildren(child);
          continue;
        }
        released.push(...linked.contributions);
        queue.push(child);
      }
    }
    return released;
  }

  #stopWaiting(id: ContributionId): void {
    const header = this.#waiting.get(id);
    this.#waiting.delete(id);
    for (const parent of header?.parents ?? []) {
      const children = this.#wantedBy.get(parent);
      children?.delete(id);
      if (children?.size === 0) this.#wantedBy.delete(parent);
    }
  }

  /** Whoever cites what no honest node would have taken is not worth waiting for; nor are their children. */
  #dropChildren(refused: ContributionId): void {
    const queue = [...(this.#wantedBy.get(refused) ?? [])];
    for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
      this.#stopWaiting(id);
      queue.push(...(this.#wantedBy.get(id) ?? []));
    }
  }

  #checkAlone(h: Header): Refused | undefined {
    const { run, phase, limits, rule, startRoot, startSettled } = this.#options;
    if (h.run !== run) return reject("HEADER_OTHER_RUN", `expected run ${run}, got ${h.run}`);
    if (limits.authors?.includes(h.author) === false)
      return reject("HEADER_OUTSIDER", `expected an author that this closed run lists, got ${h.author}`);
    if (h.phase !== phase) return ignore("HEADER_OTHER_PHASE", `expected phase ${phase}, got ${h.phase}`);
    if (h.parents.length > rule.membersMax) {
      return reject("HEADER_PARENTS", `expected at most ${rule.membersMax} parents, got ${h.parents.length}`);
    }
    if (h.work.steps > limits.stepsMax) {
      return reject("HEADER_STEPS", `expected at most ${limits.stepsMax} steps, got ${h.work.steps}`);
    }
    if (h.work.tokens !== h.work.steps * limits.tokensPerStep) {
      const expected = h.work.steps * limits.tokensPerStep;
      return reject(
        "HEADER_TOKENS",
        `expected ${expected} tokens for ${h.work.steps} steps, got ${h.work.tokens}`,
      );
    }
    if (h.delta !== null && h.delta.bytes > limits.deltaBytesMax) {
      return reject(
        "HEADER_DELTA_BYTES",
        `expected at most ${limits.deltaBytesMax} bytes, got ${h.delta.bytes}`,
      );
    }
    const settledRound = settledRoundAt(h.round, rule);
    if (h.settled.round !== settledRound) {
      return reject(
        "HEADER_SETTLED",
        `expected settled round ${settledRound} in round ${h.round}, got ${h.settled.round}`,
      );
    }
    if (settledRound === 0 && h.settled.root !== startSettled) {
      return reject(
        "HEADER_SETTLED",
        `expected the start of the phase ${startSettled}, got ${h.settled.root}`,
      );
    }
    if (h.round === 0 && h.start !== startRoot) {
      return reject("HEADER_START", `expected round 0 to start from ${startRoot}, got ${h.start}`);
    }
    const data = batchSeed(h.settled.root, h.round, h.author);
    if (h.work.data !== data)
      return reject("HEADER_DATA", `expected batches of seed ${data}, got ${h.work.data}`);
    return undefined;
  }

  /** Bounds what free keys can make us keep. What somebody cites is let in, so that history can always be linked. */
  #checkRoom(id: ContributionId, h: Header, isKnown: boolean): Refused | undefined {
    if (this.#wantedBy.has(id)) return undefined;
    const sameRound = this.round(h.round);
    const ofAuthor = sameRound.filter(({ header }) => header.author === h.author);
    const sameHistory = ofAuthor.filter(({ header }) => header.settled.root === h.settled.root);
    if (sameHistory.length >= PER_HISTORY_MAX || ofAuthor.length >= PER_AUTHOR_MAX) {
      return ignore("AUTHOR_EQUIVOCATES", `${h.author} in round ${h.round}`);
    }
    const roundMax = PER_ROUND_FACTOR * this.#options.rule.membersMax;
    if (!isKnown && sameRound.length >= roundMax)
      return ignore("ROUND_FULL", `expected at most ${roundMax} in round ${h.round}`);
    return undefined;
  }

  /** The lot opens the author's earlier promise, and its state goes on where it had stopped. */
  #checkContinuity({ header: h, view }: Contribution): Refused | undefined {
    const before = view.parents.find(({ header }) => header.author === h.author)?.header;
    if (before === undefined) return undefined;
    const { reveal } = h.lot;
    if (reveal === null || digestOf(digestToBytes(reveal)) !== before.lot.next) {
      return reject("HEADER_LOT", "expected the preimage of the author's previous lot");
    }
    // When a round settled without the author's delta, its residual holds that delta again: only an audit can tell.
    const newlySettled =
      h.settled.round > before.settled.round ? view.included(before.settled.round) : undefined;
    if (newlySettled?.every((c) => c.header.author !== h.author)) return undefined;
    const { stateAfter } = before.work;
    if (h.work.stateBefore !== stateAfter && h.work.stateBefore !== this.#options.zeroState) {
      return reject(
        "HEADER_STATE",
        `expected state ${stateAfter} or the empty one, got ${h.work.stateBefore}`,
      );
    }
    return undefined;
  }
}

function checkParents(h: Header, parents: readonly Contribution[]): Refused | undefined {
  const settled = parents[0]?.header.settled;
  if (settled === undefined) return undefined;
  for (const { header } of parents) {
    if (header.round !== h.round - 1) {
      return reject("HEADER_ROUND", `expected parents of round ${h.round - 1}, got round ${header.round}`);
    }
    if (header.settled.root !== settled.root) {
      return reject(
        "HEADER_SETTLED",
        "expected all parents to build on one settled state, got two histories",
      );
    }
  }
  if (h.settled.round === settled.round && h.settled.root !== settled.root) {
    return reject(
      "HEADER_SETTLED",
      `expected the parents' settled root ${settled.root}, got ${h.settled.root}`,
    );
  }
  return undefined;
}
