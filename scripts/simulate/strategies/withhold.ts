/** Showing work to some only, so that the others judge differently. */
import type { FlockNode } from "../flock-node.ts";
import type { Strategy } from "../strategy.ts";

/** Shows what it made to a random half; the others hear of it by citations or by asking. */
export function withholder(): Strategy {
  return {
    name: "withholder",
    send: (parcel, node) => {
      const { network } = node.options;
      for (const to of network.nodes) if (network.random.below(2) === 0) network.send(node, to, parcel);
    },
  };
}

/** Tells everybody, but gives the body to half of the nodes only, always the same. */
export function bodyWithholder(): Strategy {
  return { name: "body withholder", serves: (_, to) => to % 2 === 0 };
}

/**
 * Sees what every honest node holds and shows its work to one half of them, those that agree most with each other, so
 * that a split that has begun is kept open.
 */
export function adaptingWithholder(): Strategy {
  return {
    name: "adapting withholder",
    send: (parcel, node) => {
      const { network } = node.options;
      const sides = network.nodes
        .filter((peer) => peer !== node)
        .map((peer) => ({ peer, holds: historyOf(peer) }))
        .sort((a, b) => (a.holds < b.holds ? -1 : 1));
      for (const { peer } of sides.slice(0, sides.length >> 1)) network.send(node, peer, parcel);
    },
  };
}

/** Names the youngest history that a node inherits rather than votes on. */
function historyOf({ machine: { view } }: FlockNode): string {
  return `${view.anchor()?.id}`;
}
