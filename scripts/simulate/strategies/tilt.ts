/**
 * Citing no more than an anchor must: all accomplices, and of the others just enough for two thirds of the weight. When
 * it draws the lot, everybody inherits the history that these few elected. It never cites its victims.
 */
import type { Contribution } from "../../../src/consensus/index.ts";
import type { PeerId } from "../../../src/core/index.ts";
import type { FlockNode } from "../flock-node.ts";
import type { Strategy } from "../strategy.ts";

/** `isVictim`: of an honest node's index. */
export function tilter(isVictim: (index: number) => boolean): Strategy {
  return {
    name: "tilter",
    drafts: (draft, node) => {
      const chosen = fewest(node, isVictim);
      return [chosen.length === 0 ? draft : { ...draft, parents: chosen.map(({ id }) => id).toSorted() }];
    },
  };
}

function fewest(node: FlockNode, isVictim: (index: number) => boolean): readonly Contribution[] {
  const { view } = node.machine;
  const byPeer = new Map<PeerId, FlockNode>(node.options.network.nodes.map((peer) => [peer.peer, peer]));
  const rankOf = ({ header }: Contribution): number => {
    const maker = byPeer.get(header.author);
    if (maker === undefined) return 1;
    if (maker.strategy !== undefined) return 0;
    return isVictim(maker.index) ? 2 : 1;
  };
  const total = view.parents.reduce((sum, { header }) => sum + view.weightOf(header.author), 0);
  const ranked = [...view.parents].sort((a, b) => rankOf(a) - rankOf(b));
  const chosen: Contribution[] = [];
  let weight = 0;
  for (const contribution of ranked) {
    if (3 * weight >= 2 * total && rankOf(contribution) > 0) break;
    chosen.push(contribution);
    weight += view.weightOf(contribution.header.author);
  }
  return chosen;
}
