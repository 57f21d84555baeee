/** Two contributions in each round: one half of the nodes is shown the one, the other half the other. */
import type { Strategy } from "../strategy.ts";

export function equivocator(): Strategy {
  return {
    name: "equivocator",
    drafts: (draft) => [draft, { ...draft, work: { ...draft.work, engine: "another" } }],
    send: (parcel, node, variant) => {
      const { network } = node.options;
      for (const to of network.nodes) if (to.index % 2 === variant) network.send(node, to, parcel);
    },
  };
}
