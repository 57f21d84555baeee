/** Headers without work by keys that nobody knows, as many as fit: they cost nothing but bandwidth. */
import { Forger, unknownParent } from "../forger.ts";
import type { FlockNode } from "../flock-node.ts";
import type { Strategy } from "../strategy.ts";

const INTERVAL_MS = 250;

/**
 * As soon as anybody honest has entered round r and anybody published it, `headersCount` keys publish round r+1 on top of it, empty; and as many
 * again name a parent that nobody has.
 */
export function flooder(headersCount: number): Strategy {
  return {
    name: "flooder",
    act: (node) => {
      const run = (nextRound: number): void => {
        const isTime = node.options.network.nodes.some(
          ({ strategy, machine }) => strategy === undefined && machine.round >= nextRound - 1,
        );
        const parents = isTime ? node.machine.graph.round(nextRound - 1).slice(0, 1) : [];
        if (parents.length > 0) flood(node, { round: nextRound, parents, headersCount });
        node.later(INTERVAL_MS, () => run(parents.length > 0 ? nextRound + 1 : nextRound));
      };
      run(node.machine.graph.roundsCount);
    },
  };
}

function flood(
  node: FlockNode,
  options: { round: number; parents: Parameters<Forger["forge"]>[0]["parents"]; headersCount: number },
): void {
  const { round, parents, headersCount } = options;
  for (let i = 0; i < headersCount; i++) {
    const key = `flood/${node.index}/${round}/${i}`;
    const forger = new Forger(node, key);
    for (const unknown of [undefined, unknownParent(key)]) {
      const parcel = forger.forge({ round, parents, steps: 0, ...(unknown && { unknown }) });
      node.keep(parcel);
      node.options.network.broadcast(node, parcel);
    }
  }
}
