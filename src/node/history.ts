/**
 * History from a data folder, as a node that starts on it sees it: its headers go through the state machine, which
 * moves as far as it can without a trainer. Nothing is folded and no body is read.
 */
import { Machine, parseHeader, settledRoot } from "../consensus/index.ts";
import { type Digest, assert } from "../core/index.ts";
import type { Store } from "../storage/index.ts";
import { parametersCount } from "../trainer/index.ts";
import { emptyStateRoot } from "./learner/state-root.ts";
import { type Manifest, limitsOf, phaseOf, runIdOf } from "./manifest.ts";

/** Longer than any patience: what a round still waits for is not coming. */
const PATIENCE_MS = 2 ** 40;

/** The machine after the folder's last word; `view` and `graph` are what one asks it. Signatures were checked before storing. */
export async function readHistory(store: Store, manifest: Manifest, phase: number): Promise<Machine> {
  const headers = [];
  for await (const bytes of store.contributions.all(phase)) {
    const parsed = parseHeader(bytes);
    assert(parsed.kind === "accept", "a stored header has parsed before, and its hash was checked");
    headers.push(parsed.value);
  }
  const run = store.run() ?? runIdOf(manifest);
  const { rule, model } = phaseOf(manifest, phase);
  // Every round 0 that this folder took starts from the same weights.
  const startRoot = headers[0]?.header.start ?? ("" as Digest);
  const machine = new Machine({
    run,
    phase,
    rule,
    founders: manifest.founders,
    limits: limitsOf(manifest, phase),
    startRoot,
    startSettled: settledRoot({ run, phase, round: 0, weightsRoot: startRoot, table: new Map() }),
    zeroState: emptyStateRoot(parametersCount(model)),
    self: store.peerId,
  });
  for (const { id, header } of headers) {
    machine.handle({ kind: "header", id, header, nowMs: 0 });
    // Whether it passed matters only where the next parents are chosen, in rounds that have not settled.
    machine.handle({ kind: "body", id, passed: true, nowMs: 0 });
  }
  machine.handle({ kind: "begin", nowMs: 0 });
  for (let round = -1, nowMs = PATIENCE_MS; machine.round > round; nowMs += PATIENCE_MS) {
    round = machine.round;
    machine.handle({ kind: "tick", nowMs });
  }
  return machine;
}
