/** A node's status for tests that only show it or pass it on. */
import type { Digest, PeerId, RunId } from "../../src/core/index.ts";
import type { NodeStatus } from "../../src/node/status.ts";

export function aStatus(overrides: Partial<NodeStatus> = {}): NodeStatus {
  return {
    version: "0.1.0",
    run: "bafyreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy" as RunId,
    runName: "whale",
    peerId: "12D3KooWQbzqYBr1ksTFLRSeDdfHaBtcmgFpAVCx6yRGEFyZnxnw" as PeerId,
    pid: 4242,
    addresses: ["/ip4/127.0.0.1/tcp/4001"],
    dashboardUrl: null,
    state: "training",
    diskFull: null,
    pausedWhy: null,
    engine: "cpu",
    engineReason: null,
    parametersCount: 1_049_088,
    phase: 0,
    phases: [],
    round: 12,
    settled: {
      round: 4,
      root: "1f3a77c0".padEnd(64, "0") as Digest,
      weightsRoot: "2b".padEnd(64, "0") as Digest,
    },
    lossNats: 2.31415,
    validationLossNats: 2.5,
    validationLossFirstNats: 5.545,
    validationLossLastNats: null,
    peersCount: 3,
    contributionsPublished: 12,
    contributionsIncluded: 11,
    stepsNotApplied: 0,
    stepsSettled: 40,
    tokensTotal: 491_520,
    tokensPerSecond: 9120,
    trainingSeconds: 61.5,
    bytesIn: 12_345_678,
    bytesOut: 4_100_000,
    deltaBytesMean: 530_123,
    deltaBytesDense: 4_196_352,
    pingP99Ms: 3.2,
    eventLoopDelayP99Ms: 11.5,
    curve: [],
    ...overrides,
  };
}
