/** Two contributions in each round: who is shown which one is for `isShown` to say; by default one half each. */
import type { Strategy } from "../strategy.ts";

export function equivocator(
  isShown: (to: number, variant: number) => boolean = (to, variant) => to % 2 === variant,
): Strategy {
  return {
    name: "equivocator",
    drafts: (draft) => [draft, { ...draft, work: { ...draft.work, engine: "another" } }],
    send: (parcel, node, variant) => {
      const { network } = node.options;
      for (const to of network.nodes) if (isShown(to.index, variant)) network.send(node, to, parcel);
    },
  };
}
