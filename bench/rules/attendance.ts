/** Who does how many steps in which round: a pure function of the settings. */
import { SeededRandom } from "../../src/core/index.ts";
import type { Settings } from "./settings.ts";

/** Steps of each peer in a round, (N,); 0 for one that is not there. */
export function stepsOf(settings: Settings, round: number): number[] {
  const { peersCount, stepsPerRound, stepsPerNode, seed, attendance = {} } = settings;
  const { dropShare = 0, speedRatio = 1, lateCount = 0, earlyCount = 0 } = attendance;
  const half = Math.floor(stepsPerNode / stepsPerRound / 2);
  const away = dropped(peersCount, Math.round(dropShare * peersCount), `${seed}/${round}`);
  return Array.from({ length: peersCount }, (_, peer) => {
    const isAway =
      away.has(peer) ||
      (peer < earlyCount && round >= half) ||
      (peer >= peersCount - lateCount && round < half);
    return isAway ? 0 : Math.max(1, Math.round(stepsPerRound * speedOf(peer, peersCount, speedRatio)));
  });
}

/** Evenly spaced from 2 / (1 + ratio) for the slowest to 2 ratio / (1 + ratio) for the fastest: the mean is 1. */
function speedOf(peer: number, peersCount: number, ratio: number): number {
  if (peersCount === 1) return 1;
  const share = peer / (peersCount - 1);
  return (2 * (1 + share * (ratio - 1))) / (1 + ratio);
}

function dropped(peersCount: number, count: number, seed: string): Set<number> {
  const random = new SeededRandom(`dropped/${seed}`);
  const peers = Array.from({ length: peersCount }, (_, peer) => peer);
  return new Set(
    Array.from({ length: count }, () => peers.splice(random.below(peers.length), 1)[0] as number),
  );
}
