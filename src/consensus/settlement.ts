/** The settled root: one digest over the folded weights and the accounts, which every node must agree on. */
import { encode } from "@ipld/dag-cbor";
import { type Digest, type PeerId, type RunId, digestOf, digestToBytes, sha256 } from "../core/index.ts";
import type { Accounts, RoundWork } from "./accounts.ts";

interface State {
  readonly run: RunId;
  readonly phase: number;
  readonly round: number;
  readonly weightsRoot: Digest;
  readonly accounts: Accounts;
}

/** The root that was computed last with some accounts: in one process, machines of one view share them. */
const lastRoots = new WeakMap<Accounts, { readonly state: State; readonly root: Digest }>();

/** sha256 of the DAG-CBOR of {run, phase, round, weights, tokens, table, work}; the table's keys are peer ids. */
export function settledRoot(state: State): Digest {
  const last = lastRoots.get(state.accounts);
  if (last !== undefined && isSame(last.state, state)) return last.root;
  const root = computeRoot(state);
  lastRoots.set(state.accounts, { state, root });
  return root;
}

function isSame(a: State, b: State): boolean {
  return a.run === b.run && a.phase === b.phase && a.round === b.round && a.weightsRoot === b.weightsRoot;
}

function computeRoot(state: State): Digest {
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
