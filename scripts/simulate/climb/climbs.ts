/** What may happen to a flock that climbs, and what must be true at the end of it all. */
import { StarlingError } from "../../../src/core/index.ts";
import { type ClimbOptions, ClimbFlock } from "./climb-flock.ts";
import { type Rung, threePhases } from "./ladder.ts";

export interface Climb {
  readonly name: string;
  readonly about: string;
  readonly options?: (nodesCount: number) => Partial<ClimbOptions>;
  /** What happens on the way; afterwards everybody is waited for. */
  readonly play?: (flock: ClimbFlock) => void;
  /** What else must be true. */
  readonly failures?: (flock: ClimbFlock) => string[];
}

export interface ClimbReport {
  readonly climb: string;
  readonly nodesCount: number;
  readonly seed: string;
  /** Of each phase, how many different ends there were; 1 each. */
  readonly endsCounts: readonly number[];
  /** Rounds of each phase, at its end. */
  readonly rounds: readonly number[];
  /** Nodes that their rank kept in a phase, and that went through their phases again because one ended otherwise. */
  readonly leftBehind: number;
  readonly descents: number;
  readonly virtualSeconds: number;
  readonly failures: readonly string[];
}

const ROUNDS = 6;

/** A share of nodes, the first ones. */
const share = (flock: ClimbFlock, of: number) =>
  flock.climbers.slice(0, Math.ceil(flock.climbers.length / of));

/** When the first node has ended the first phase: the flock is in the middle of the change. */
const untilChange = (flock: ClimbFlock): void =>
  flock.until(() => flock.up.some(({ ended }) => ended.length > 0));

export const CLIMBS: readonly Climb[] = [
  {
    name: "together",
    about: "three phases, the last one with seats for half; who was left behind qualifies",
    failures: ({ climbers }) =>
      climbers.some(({ stays }) => stays.has(1)) ? [] : ["expected somebody to be left behind in phase 1"],
  },
  {
    name: "late",
    about: "a quarter joins in phase 0 when the others are in the last one",
    options: (nodesCount) => ({
      late: Array.from({ length: Math.floor(nodesCount / 4) }, (_, i) => nodesCount - 1 - i),
    }),
    play: (flock) => {
      flock.until(() => flock.up.some(({ phase }) => phase === 2));
      for (const climber of flock.climbers) if (!climber.isUp) climber.start();
    },
  },
  {
    name: "restarts",
    about: "a third crashes in the middle of the change, some before and some after they have climbed",
    play: (flock) => {
      untilChange(flock);
      const [first] = flock.climbers;
      const third = share(flock, 3);
      // As many before they noticed the end as after they began the next phase.
      for (const [i, climber] of third.entries()) if (i % 2 === 0) climber.crash();
      flock.until(() => flock.up.some(({ phase, node }) => phase === 1 && (node?.machine.round ?? 0) > 0));
      for (const [i, climber] of third.entries()) if (i % 2 === 1) climber.crash();
      for (const climber of third) climber.start();
      if (first === undefined || !first.isUp) throw new Error("expected the first one to be back");
    },
  },
  {
    name: "parted",
    about:
      "two sides that were apart over the boundary ended the phase differently; the lighter goes down and comes up",
    play: (flock) => {
      flock.until(() => flock.up.every(({ node }) => (node?.machine.round ?? 0) >= 1));
      const cut = Math.ceil((2 * flock.climbers.length) / 3);
      flock.part(flock.climbers.map(({ index }) => (index < cut ? 0 : 1)));
      flock.until(() => flock.up.every(({ phase }) => phase >= 1));
      flock.part();
    },
    failures: ({ climbers }) =>
      climbers.some(({ descents }) => descents > 0) ? [] : ["expected somebody to go down again"],
  },
  {
    name: "lossy",
    about: "a tenth of all messages is lost, in every phase",
    options: () => ({ lossShare: 0.1 }),
  },
];

export function runClimb(
  climb: Climb,
  { nodesCount, seed }: { nodesCount: number; seed: string },
): ClimbReport {
  const rungs: readonly Rung[] = threePhases(nodesCount, ROUNDS);
  const flock = new ClimbFlock({
    nodesCount,
    rungs,
    // Some are slower, so that ranks differ.
    slowness: (index) => 1 + (index % 4) / 4,
    ...climb.options?.(nodesCount),
    seed: `${climb.name}/${nodesCount}/${seed}`,
  });
  const stall = play(climb, flock);
  const ends = flock.marks();
  const failures = [
    ...(stall === undefined ? [] : [stall]),
    ...ends.flatMap((marks, phase) =>
      marks.length === 1
        ? []
        : [`expected one end of phase ${phase}, got ${marks.length}: ${marks.join(", ")}`],
    ),
    ...(climb.failures?.(flock) ?? []),
  ];
  return {
    climb: climb.name,
    nodesCount,
    seed,
    endsCounts: ends.map(({ length }) => length),
    rounds: ends.map(([mark]) => Number(mark?.split(" ")[0])),
    leftBehind: flock.climbers.filter(({ stays }) => stays.size > 0).length,
    descents: flock.climbers.reduce((sum, { descents }) => sum + descents, 0),
    virtualSeconds: Math.round(flock.agenda.nowMs / 1000),
    failures,
  };
}

/** Why the flock stalled, if it did. */
function play(climb: Climb, flock: ClimbFlock): string | undefined {
  try {
    climb.play?.(flock);
    flock.untilClimbed();
    return undefined;
  } catch (error) {
    // A flock that stands still is a result; everything else is a bug.
    if (error instanceof StarlingError && error.code === "FLOCK_STALLED") return error.message;
    throw error;
  }
}
