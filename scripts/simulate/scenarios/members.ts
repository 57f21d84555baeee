/** Honest peers that come, go and are slow. */
import type { Flock } from "../flock.ts";
import { INCLUDED_SHARE_HONEST, type Scenario } from "../scenario.ts";

const includedShareMin = INCLUDED_SHARE_HONEST;

/** In each of these rounds so many of the honest nodes crash; they are back a round later. */
function churn(flock: Flock, share: number, rounds: { from: number; to: number }): void {
  const awayCount = Math.floor(share * flock.honest.length);
  for (let round = rounds.from; round < rounds.to; round++) {
    const here = [...flock.up];
    const away = flock.honest.filter(({ isUp }) => !isUp);
    for (let i = 0; i < awayCount; i++) {
      const [leaver] = here.splice(flock.random.below(here.length), 1);
      flock.crash(leaver.index);
    }
    for (const { index } of away) flock.join(index);
    flock.untilRound(round + 1, here);
  }
  for (const { index, isUp } of flock.honest) if (!isUp) flock.join(index);
}

function lateOf(peersCount: number): number[] {
  return Array.from({ length: Math.floor(peersCount / 4) }, (_, i) => peersCount - 1 - i);
}

export const MEMBER_SCENARIOS: readonly Scenario[] = [
  {
    name: "churn",
    about: "each round 30 % leave and those of the round before come back",
    includedShareMin,
    options: () => ({}),
    play: (flock) => {
      flock.untilRound(3);
      churn(flock, 0.3, { from: 3, to: 15 });
    },
  },
  {
    name: "crash-restart",
    about: "a third crashes in round 6 and comes back in round 10",
    includedShareMin,
    options: () => ({}),
    play: (flock) => {
      flock.untilRound(6);
      const crashed = flock.nodes.slice(0, Math.floor(flock.nodes.length / 3));
      for (const { index } of crashed) flock.crash(index);
      flock.untilRound(10);
      for (const { index } of crashed) flock.join(index);
    },
  },
  {
    name: "late-joiners",
    about: "a quarter comes in round 18, with a settled state and the headers since",
    includedShareMin,
    options: (n) => ({ late: lateOf(n) }),
    play: (flock) => {
      flock.untilRound(18);
      for (const index of lateOf(flock.nodes.length)) flock.join(index);
    },
  },
  {
    name: "restart-settled",
    about: "a third is away from round 14 to 20, then all crash at once; each starts from its settled state",
    includedShareMin,
    options: () => ({}),
    play: (flock) => {
      flock.untilRound(14);
      const away = flock.nodes.slice(0, Math.floor(flock.nodes.length / 3));
      for (const { index } of away) flock.crash(index);
      flock.untilRound(20);
      for (const { index } of away) flock.join(index);
      flock.untilRound(22);
      for (const { index } of flock.nodes) flock.crash(index);
      for (const { index } of flock.nodes) flock.join(index);
    },
  },
  {
    name: "restart-all",
    about: "everybody crashes in the same moment of round 6 and comes back",
    includedShareMin,
    options: () => ({}),
    play: (flock) => {
      flock.untilRound(6);
      for (const { index } of flock.nodes) flock.crash(index);
      for (const { index } of flock.nodes) flock.join(index);
    },
  },
  {
    name: "slow",
    about: "a quarter trains five times slower",
    includedShareMin,
    options: (n) => ({ slowness: (i) => (i < n / 4 ? 5 : 1) }),
  },
  {
    name: "alone",
    about: "one node",
    includedShareMin,
    peersCount: () => 1,
    options: () => ({}),
  },
  {
    name: "two",
    about: "two nodes, one twice as fast",
    includedShareMin,
    peersCount: () => 2,
    options: () => ({ slowness: (i) => 1 + i }),
  },
];
