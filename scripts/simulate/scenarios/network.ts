/** Honest peers on bad networks. */
import type { Flock } from "../flock.ts";
import { INCLUDED_SHARE_HONEST, type Scenario } from "../scenario.ts";

const includedShareMin = INCLUDED_SHARE_HONEST;
/** When a network parts, and for how many rounds of the first side: fewer than the settle depth, or well beyond it. */
const PART_ROUND = 6;
const PART_ROUNDS = 5;
const PART_ROUNDS_LONG = 14;
/** Rounds after which what was apart is one history. From: the project's issue S6. */
const HEAL_ROUNDS = 5;

/** The first of two groups holds this share. */
function groupsOf(flock: Flock, share: number): number[] {
  const firstCount = Math.round(share * flock.nodes.length);
  return flock.nodes.map(({ index }) => (index < firstCount ? 0 : 1));
}

function partition(name: string, about: string, share: number, slowness?: number): Scenario {
  return {
    name,
    about,
    includedShareMin,
    options: (n) =>
      slowness === undefined ? {} : { slowness: (i) => (i < Math.round(share * n) ? 1 : slowness) },
    play: (flock) => {
      flock.untilRound(PART_ROUND);
      const groups = groupsOf(flock, share);
      flock.part(groups);
      flock.untilRound(PART_ROUND + PART_ROUNDS, [flock.nodes[0]]);
      flock.part();
    },
  };
}

export const NETWORK_SCENARIOS: readonly Scenario[] = [
  {
    name: "honest",
    about: "20 to 200 ms of latency, nothing lost",
    includedShareMin,
    options: () => ({}),
  },
  {
    name: "latency",
    about: "50 to 800 ms of latency in rounds of 10 s",
    includedShareMin,
    options: () => ({ latencyMs: { min: 50, max: 800 } }),
  },
  {
    name: "loss",
    about: "a tenth of all messages is lost",
    includedShareMin,
    options: () => ({ lossShare: 0.1 }),
  },
  {
    name: "reordering",
    about: "messages overtake each other: 1 ms to 1 s",
    includedShareMin,
    options: () => ({ latencyMs: { min: 1, max: 1000 } }),
  },
  {
    name: "duplication",
    about: "every second message comes twice",
    includedShareMin,
    options: () => ({ duplicateShare: 0.5 }),
  },
  {
    name: "fixed-half",
    about: "one peer is heard in time by the same half of the others, always",
    // All of that peer's own work may be left out: one of 16.
    includedShareMin: 0.93,
    options: (n) => ({ lagMs: (maker, to) => (maker === 0 && to >= n / 2 ? 3000 : 0) }),
  },
  partition("partition-50", "two halves, each on its own for 5 rounds", 0.5),
  partition("partition-70", "70 and 30 % apart for 5 rounds", 0.7),
  partition("partition-50-uneven", "two halves, one of them three times slower", 0.5, 3),
  partition("partition-70-uneven", "70 and 30 % apart, the 30 % three times faster", 0.7, 1 / 3),
  ...[50, 70].map((percent) => ({
    name: `partition-${percent}-long`,
    about: `${percent} and ${100 - percent} % apart for longer than the settle depth`,
    includedShareMin,
    options: () => ({}),
    play: (flock: Flock) => {
      flock.untilRound(PART_ROUND);
      flock.part(groupsOf(flock, percent / 100));
      flock.untilRound(PART_ROUND + PART_ROUNDS_LONG, [flock.nodes[0]]);
      const furthestRound = Math.max(...flock.up.map(({ machine }) => machine.round));
      flock.part();
      // Whoever goes over jumps to the other side's round at once, and has nothing settled until it has folded there.
      flock.untilRound(furthestRound + HEAL_ROUNDS);
    },
  })),
];
