/** Nobody exchanges anything: everybody ends with an own model. With one peer it is a node alone. */
import { type Exchange, type Flock, floatsOf } from "../exchange.ts";

export function local({ peersCount, start }: Flock): Exchange {
  const models = Array.from({ length: peersCount }, () => floatsOf(start));
  return {
    startOf: (peer) => models[peer] as Float32Array,
    combine(turns) {
      for (const { peer, end } of turns) models[peer]?.set(end);
      return 0;
    },
    models: () => models,
  };
}
