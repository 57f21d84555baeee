/** A header before it is signed, for tests that only sign it and pass it on: the first of its author and of the run. */
import type { Draft } from "../../src/consensus/index.ts";
import { DAG_CBOR, type PeerId, RAW, type RunId, cidOf, digestOf } from "../../src/core/index.ts";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const digest = digestOf(bytesOf("digest"));

export function aDraft(author: PeerId): Draft {
  return {
    v: 1,
    run: cidOf(bytesOf("run"), DAG_CBOR) as RunId,
    phase: 0,
    round: 0,
    author,
    parents: [],
    settled: { round: 0, root: digest },
    start: digest,
    delta: { cid: cidOf(bytesOf("delta"), RAW), bytes: 5, norm: 7 },
    work: {
      steps: 1,
      tokens: 8,
      lossFirst: 5.5,
      lossLast: 5.25,
      data: digest,
      stateBefore: digest,
      stateAfter: digest,
      engine: "cpu",
    },
    evidence: [],
    supports: null,
    previous: undefined,
  };
}
