/** The settled root: one digest over the folded weights and the voting weights, which every node must agree on. */
import { encode } from "@ipld/dag-cbor";
import { type Digest, type PeerId, type RunId, digestOf, digestToBytes } from "../core/index.ts";
import type { WeightTable } from "./weights.ts";

/** sha256 of the DAG-CBOR of {run, phase, round, weights, table}; the table's keys are peer ids. */
export function settledRoot(state: {
  run: RunId;
  phase: number;
  round: number;
  weightsRoot: Digest;
  table: WeightTable;
}): Digest {
  return digestOf(
    encode({
      run: state.run,
      phase: state.phase,
      round: state.round,
      weights: digestToBytes(state.weightsRoot),
      table: Object.fromEntries(state.table),
    }),
  );
}

/** The seed of an author's batches in a round: public, and not of the author's choosing. */
export function batchSeed(settled: Digest, round: number, author: PeerId): Digest {
  return digestOf(new TextEncoder().encode(`${settled}/${round}/${author}`));
}
