/** For each index of a larger model's axis, the index of the smaller one's that it is a copy of. */
import { headSize, type ModelConfig } from "../model/config.ts";

export interface Sources {
  readonly vocabulary: Int32Array; // (V,)
  readonly hidden: Int32Array; // (D',)
  readonly units: Int32Array; // (F',)
  readonly queries: Int32Array; // (H' * headSize,)
  readonly keys: Int32Array; // (kvHeads' * headSize,), of values too
}

/** Copies in turns, [0 1 2 0 1 2]; query heads so that each copy's keys and values are copies of its own. */
export function growthSources(from: ModelConfig, to: ModelConfig): Sources {
  const size = headSize(from);
  const { headsCount: H, kvHeadsCount: K } = from;
  const group = H / K;
  const groupLarge = to.headsCount / to.kvHeadsCount;
  const queryHead = (head: number): number => {
    const keyHead = Math.floor(head / groupLarge);
    const inGroup = Math.floor(keyHead / K) * groupLarge + (head % groupLarge);
    return (keyHead % K) * group + (inGroup % group);
  };
  return {
    vocabulary: Int32Array.from({ length: to.vocabSize }, (_, i) => i),
    hidden: inTurns(to.hiddenSize, from.hiddenSize),
    units: inTurns(to.intermediateSize, from.intermediateSize),
    queries: perHead(to.headsCount, size, queryHead),
    keys: perHead(to.kvHeadsCount, size, (head) => head % K),
  };
}

function inTurns(length: number, period: number): Int32Array {
  return Int32Array.from({ length }, (_, i) => i % period);
}

function perHead(heads: number, size: number, sourceOf: (head: number) => number): Int32Array {
  return Int32Array.from(
    { length: heads * size },
    (_, i) => sourceOf(Math.floor(i / size)) * size + (i % size),
  );
}
