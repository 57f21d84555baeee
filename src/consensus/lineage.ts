/**
 * The settled roots that a contribution builds on, back to the start: which history it is of. Each root is a node in
 * one tree, so two contributions are of one history, as far as both have settled, exactly when the node of one lies on
 * the way from the other's to the start. Roots are what authors say: a false one makes a branch of its own.
 */
import type { Digest } from "../core/index.ts";

export class Lineage {
  /** How many rounds are settled. */
  readonly round: number;
  readonly root: Digest;
  readonly before: Lineage | undefined;
  readonly #branches = new Map<Digest, Lineage>();

  constructor(round: number, root: Digest, before?: Lineage) {
    this.round = round;
    this.root = root;
    this.before = before;
  }

  /** What has this root one round later; always the same object for the same root. */
  next(root: Digest): Lineage {
    const known = this.#branches.get(root);
    if (known !== undefined) return known;
    const branch = new Lineage(this.round + 1, root, this);
    this.#branches.set(root, branch);
    return branch;
  }

  /** Whether different roots were named for the round after this one. */
  get isSplit(): boolean {
    return this.#branches.size > 1;
  }

  /** The root of an earlier round; undefined for later ones, and before the start. */
  at(round: number): Lineage | undefined {
    if (round === this.round) return this;
    if (round > this.round) return undefined;
    let lineage = this.before;
    while (lineage !== undefined && lineage.round > round) lineage = lineage.before;
    return lineage;
  }

  /** Whether the two are of one history, as far as both have settled. */
  agrees(other: Lineage): boolean {
    if (this === other) return true;
    return this.round < other.round ? other.at(this.round) === this : this.at(other.round) === other;
  }
}

/** The last round that two histories settled alike: rounds below it are the same in both. */
export function forkOf(a: Lineage, b: Lineage): number {
  const common = Math.min(a.round, b.round);
  let [one, other] = [a.at(common), b.at(common)];
  while (one !== other) [one, other] = [one?.before, other?.before];
  return one?.round ?? 0;
}
