/** Flocks with adversaries. Where nothing else is said, a third of the peers is hostile, the last ones. */
import type { Flock } from "../flock.ts";
import { DEPTH_HOSTILE, INCLUDED_SHARE_HOSTILE, type Scenario } from "../scenario.ts";
import { inflator, sybil } from "../strategies/claim.ts";
import { equivocator } from "../strategies/equivocate.ts";
import { flooder } from "../strategies/flood.ts";
import { Forker, fork } from "../strategies/fork.ts";
import { earlyPublisher, racer } from "../strategies/haste.ts";
import { tilter } from "../strategies/tilt.ts";
import { adaptingWithholder, bodyWithholder, withholder } from "../strategies/withhold.ts";
import type { Strategy } from "../strategy.ts";

const includedShareMin = INCLUDED_SHARE_HOSTILE;
const rule = { settleDepth: DEPTH_HOSTILE };
/** When strangers come, and when forkers turn. */
const COME_ROUND = 3;
const TURN_ROUND = 6;
/** Of equivocators: what they did since they were last convicted. */
const CONVICTED_WEIGHT_SHARE_MAX = 0.02;
const SYBILS_COUNT = 32;
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

/** The last third behaves so. */
function third(name: string, about: string, make: (peersCount: number) => Strategy): Scenario {
  return {
    name,
    about,
    includedShareMin,
    options: (n) => ({ rule, strategy: (i) => (i >= n - Math.floor(n / 3) ? make(n) : undefined) }),
  };
}

/** Nodes beyond the asked ones, which come when the flock has begun. */
function strangers(
  name: string,
  about: string,
  {
    count,
    make,
    membersMax,
    foundersCount,
  }: {
    count: (n: number) => number;
    make: (n: number, stranger: number) => Strategy;
    membersMax?: (n: number) => number;
    foundersCount?: number;
  },
): Scenario {
  return {
    name,
    about,
    includedShareMin,
    options: (n) => ({
      rule: { ...rule, ...(membersMax && { membersMax: membersMax(n) }) },
      nodesCount: n + count(n),
      ...(foundersCount !== undefined && { foundersCount }),
      late: range(n, n + count(n)),
      strategy: (i) => (i >= n ? make(n, i - n) : undefined),
    }),
    play: (flock) => {
      flock.untilRound(COME_ROUND);
      for (const { index, strategy } of flock.nodes) if (strategy !== undefined) flock.join(index);
    },
  };
}

function hostileOf(flock: Flock): Flock["nodes"] {
  return flock.nodes.filter(({ strategy }) => strategy !== undefined);
}

export const HOSTILE_SCENARIOS: readonly Scenario[] = [
  third("withholders", "a third shows its work to a random half each round", withholder),
  third("body-withholders", "a third gives its bodies to the same half only", bodyWithholder),
  third("adapting-withholders", "a third keeps whatever split there is open", adaptingWithholder),
  {
    hostileWeightShareMax: CONVICTED_WEIGHT_SHARE_MAX,
    ...third("equivocators", "a third shows another contribution to each half", () => equivocator()),
  },
  third("tilters", "a third cites just enough to be an anchor, and never a quarter of the others", (n) =>
    tilter((index) => index < n / 4),
  ),
  third("racers", "a third cites only itself, twenty rounds in the time of one", racer),
  {
    ...third("inflators", "a third claims two and a half times the work of the others", inflator),
    // A claim counts up to the round's median. Who always claims more gains what honest authors lie below it: at 256
    // peers a share of 0.332 of the authors has 0.337 of the weight.
    hostileWeightShareMax: 0.35,
    options: (n) => ({
      rule,
      pace: { stepsPerRound: 20, stepMs: 500 },
      strategy: (i) => (i >= n - Math.floor(n / 3) ? inflator() : undefined),
    }),
  },
  strangers("early-publishers", "as many free keys as peers publish empty contributions at once", {
    count: (n) => n,
    make: earlyPublisher,
  }),
  {
    // At 16 peers: a seventeenth machine, whatever its keys.
    hostileWeightShareMax: 0.06,
    ...strangers("sybils", `one machine divides its work among ${SYBILS_COUNT} free keys; one founder`, {
      count: () => SYBILS_COUNT,
      make: (_, i) => sybil(i),
      foundersCount: 1,
    }),
  },
  strangers("flooders", "two nodes send twenty empty headers for each member and round", {
    count: () => 2,
    make: (n) => flooder(5 * n),
    // One seat in eight is for strangers, and the flood takes it.
    membersMax: (n) => Math.ceil((5 / 4) * n),
  }),
  {
    ...third("forkers", "a third makes 40 rounds of its own in secret, then shows them", () => new Forker()),
    play: (flock) => {
      flock.untilRound(TURN_ROUND);
      fork(hostileOf(flock), 40);
    },
  },
  {
    hostileWeightShareMax: CONVICTED_WEIGHT_SHARE_MAX,
    ...third("evidence", "a third makes two of each, and shows the second to one peer only", () =>
      equivocator((to, variant) => variant === 0 || to === 0),
    ),
  },
];
