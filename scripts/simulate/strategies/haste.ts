/** Being first. */
import { Forger } from "../forger.ts";
import type { Strategy } from "../strategy.ts";

/** Publishes an empty contribution as soon as a round begins, so that the others hurry. */
export function earlyPublisher(): Strategy {
  return { name: "early publisher", train: () => ({ durationMs: 1, steps: 0 }) };
}

const RACER_INTERVAL_MS = 500;

/** Cites only itself and publishes as fast as it can: a chain that is soon far ahead of everybody. */
export function racer(): Strategy {
  return {
    name: "racer",
    act: (node) => {
      const forger = new Forger(node, `${node.index}`);
      const parents: ReturnType<Forger["forge"]>[] = [];
      const run = (round: number): void => {
        const parcel = forger.forge({ round, parents, steps: 1 });
        parents.splice(0, 1, parcel);
        node.issue(parcel);
        node.options.network.broadcast(node, parcel);
        node.later(RACER_INTERVAL_MS, () => run(round + 1));
      };
      run(0);
    },
  };
}
