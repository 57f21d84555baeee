/**
 * How GossipSub rates its neighbours here. The library's defaults are wrong for this network in three measured ways:
 * a topic without parameters is not scored at all; time in the mesh counts per millisecond and drowns every
 * penalty; and sixteen nodes behind one address graylist each other without a word. Headers come once a round, so
 * no peer is punished for delivering few of them.
 *
 * The ladder of one peer's rejected messages: 1 leaves the mesh (score < 0), 2-3 get no gossip, 4 get no publishes, 5
 * are a ban (standing.ts).
 */
import type { GossipsubOpts } from "@chainsafe/libp2p-gossipsub";
import type { PeerId } from "../core/index.ts";

/** Scaled parameters of one topic. From: GossipSub v1.1 spec, "Topic parameter calculation"; values are guesses. */
const TOPIC = {
  topicWeight: 1,
  timeInMeshWeight: 0.01,
  timeInMeshQuantum: 1000,
  timeInMeshCap: 300,
  firstMessageDeliveriesWeight: 0.1,
  firstMessageDeliveriesDecay: 0.5,
  firstMessageDeliveriesCap: 20,
  meshMessageDeliveriesWeight: 0,
  meshMessageDeliveriesDecay: 0.5,
  meshMessageDeliveriesCap: 100,
  meshMessageDeliveriesThreshold: 20,
  meshMessageDeliveriesWindow: 10,
  meshMessageDeliveriesActivation: 5000,
  meshFailurePenaltyWeight: 0,
  meshFailurePenaltyDecay: 0.5,
  // Squared by the library: n rejects cost 5 n^2; halves in about 70 s.
  invalidMessageDeliveriesWeight: -5,
  invalidMessageDeliveriesDecay: 0.99,
};

export function scoreParams(
  topics: readonly string[],
  points: (peer: PeerId) => number,
): NonNullable<GossipsubOpts["scoreParams"]> {
  return {
    topics: Object.fromEntries(topics.map((topic) => [topic, TOPIC])),
    topicScoreCap: 10,
    appSpecificScore: (peer) => -points(peer as PeerId),
    appSpecificWeight: 1,
    // Off: labs, campuses and carrier NAT put many honest nodes behind one address, and addresses decide nothing here.
    IPColocationFactorWeight: 0,
    // Broken promises on a busy machine are no attack. From: Ethereum consensus p2p scoring, which allows 6.
    behaviourPenaltyThreshold: 6,
  };
}

/** Set so that the ladder above holds. */
export const SCORE_THRESHOLDS: NonNullable<GossipsubOpts["scoreThresholds"]> = {
  gossipThreshold: -12,
  publishThreshold: -100,
  graylistThreshold: -400,
};
