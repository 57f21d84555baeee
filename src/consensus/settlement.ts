/** The settled root: one digest over the folded weights and the accounts, which every node must agree on. */
import { encode } from "@ipld/dag-cbor";
import { type Digest, type PeerId, type RunId, digestOf, digestToBytes, sha256 } from "../core/index.ts";
import type { Accounts, RoundWork } from "./accounts.ts";

/** sha256 of the DAG-CBOR of {run, phase, round, weights, tokens, table, work}; the table's keys are peer ids. */
export function settledRoot(state: {
  run: RunId;
  phase: number;
  round: number;
  weightsRoot: Digest;
  accounts: Accounts;
}): Digest {
  const { tokens, table, work } = state.accounts;
  return digestOf(
    encode({
      run: state.run,
      phase: state.phase,
      round: state.round,
      weights: digestToBytes(state.weightsRoot),
      tokens,
      table: Object.fromEntries(table),
      work: work.map(digestOfWork),
    }),
  );
}

const digests = new WeakMap<RoundWork, Uint8Array>();

/** A round's work stays in the accounts of many settled rounds. */
function digestOfWork(work: RoundWork): Uint8Array {
  const known = digests.get(work);
  if (known !== undefined) return known;
  const digest = sha256(encode({ counted: Object.fromEntries(work.counted), voided: work.voided }));
  digests.set(work, digest);
  return digest;
}

/** The seed of an author's batches in a round: public, and not of the author's choosing. */
export function batchSeed(settled: Digest, round: number, author: PeerId): Digest {
  return digestOf(new TextEncoder().encode(`${settled}/${round}/${author}`));
}
