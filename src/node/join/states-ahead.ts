/**
 * Which settled states to ask peers for, in order. Those that half of the weight goes on in come first: anybody can race
 * ahead alone, and until the others settle their rounds differently nothing speaks against it. What nobody goes on in who
 * weighs is for those only who have nothing else.
 */
import { type Backing, type ContributionGraph, type Settled, settledStates } from "../../consensus/index.ts";
import { BODIES_KEPT_ROUNDS } from "../disk/retention.ts";

/** What is looked for. */
export interface Ahead {
  readonly aboveRound: number;
  /** Settled, for us: what comes after it needs weight behind it. */
  readonly sinceRound: number;
  /** The last round of a phase that is over. */
  readonly endRound?: number;
  /** The least weight that must have gone on in it. */
  readonly share: Share;
}

type Share = "third" | "some" | "any";

/** Of the voting weight. */
const HALF = 1 / 2;
/** Who weighs less than that can't pull a flock along that waits. As much as may be hostile (docs/design.md, section 4). */
const THIRD = 1 / 3;
/** More than half may have died; but whoever has no weight has raced ahead by itself. */
export const SOME = 0;
/** All who weighed may have died. */
const ANYBODY = undefined;

const SHARES: { readonly [K in Share]: readonly (Backing["share"] | undefined)[] } = {
  third: [HALF, THIRD],
  some: [HALF, THIRD, SOME],
  any: [HALF, THIRD, SOME, ANYBODY],
};

/** By weight, the most first, and then by round, the newest first. */
export function* statesAhead(graph: ContributionGraph, wanted: Ahead): Generator<Settled> {
  const { sinceRound, endRound = Infinity } = wanted;
  let { aboveRound } = wanted;
  for (const share of SHARES[wanted.share]) {
    let newestRound: number | undefined;
    for (const settled of settledStates(graph, share === ANYBODY ? undefined : { share, sinceRound })) {
      if (settled.round > endRound) continue;
      newestRound ??= settled.round;
      // Nobody keeps those of long before: the last few are served.
      if (settled.round <= aboveRound || settled.round < newestRound - BODIES_KEPT_ROUNDS) break;
      yield settled;
    }
    aboveRound = Math.max(aboveRound, newestRound ?? 0);
  }
}
