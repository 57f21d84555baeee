/**
 * Plain averaging of whole weights every H steps, weighted by tokens (local SGD, Stich 2019, arXiv 1805.09767; FedAvg,
 * McMahan et al. 2017): what compression has to be measured against.
 */
import { type Exchange, FLOAT_BYTES, type Flock, floatsOf, weightedMean } from "../exchange.ts";

export function average({ start }: Flock): Exchange {
  let shared = floatsOf(start);
  return {
    startOf: () => shared,
    combine(turns) {
      if (turns.length === 0) return 0;
      shared = weightedMean(
        turns.map(({ end }) => end),
        turns.map(({ tokens }) => tokens),
      );
      return turns.length * FLOAT_BYTES * shared.length;
    },
    models: () => [shared],
  };
}
