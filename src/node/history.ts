/**
 * History from a data folder, as a node that starts on it sees it: its headers go through the state machine, which
 * moves as far as it can without a trainer. Nothing is folded and no body is read.
 */
import {
  Machine,
  type MachineOptions,
  NO_ACCOUNTS,
  type ParsedHeader,
  type View,
  parseHeader,
  settledRoot,
} from "../consensus/index.ts";
import { type RunId, assert } from "../core/index.ts";
import type { Store } from "../storage/index.ts";
import { parametersCount } from "../trainer/index.ts";
import { checkWhole } from "./join/whole-history.ts";
import { zeroStateRoot } from "./learner/state-root.ts";
import { type Manifest, limitsOf, phaseOf } from "./manifest.ts";

/** Longer than any patience: what a round still waits for is not coming. */
const PATIENCE_MS = 2 ** 40;

/** History as the folder's own node sees it; undefined while it has none. Signatures were checked before storing. */
export async function readHistory(
  store: Store,
  { run, manifest, phase }: { run: RunId; manifest: Manifest; phase: number },
): Promise<View | undefined> {
  const headers: ParsedHeader[] = [];
  for await (const bytes of store.contributions.all(phase)) {
    const parsed = parseHeader(bytes);
    assert(parsed.kind === "accept", "a stored header has parsed before, and its hash was checked");
    headers.push(parsed.value);
  }
  if (headers[0] === undefined) return undefined;
  await checkWhole(store.dir, headers[0].header.round);
  const { rule, model } = phaseOf(manifest, phase);
  // Only what starts from the phase's weights was ever taken in, so the first header tells their root.
  const startRoot = headers[0].header.start;
  const startSettled = settledRoot({ run, phase, round: 0, weightsRoot: startRoot, accounts: NO_ACCOUNTS });
  return replay(
    {
      run,
      phase,
      rule,
      founders: manifest.founders,
      limits: limitsOf(manifest, phase),
      startRoot,
      startSettled,
      zeroState: zeroStateRoot(parametersCount(model)),
      self: store.peerId,
    },
    headers,
  );
}

/** The view of the round that a node would work on next. `headers`: by round. */
export function replay(
  options: MachineOptions,
  headers: Iterable<Pick<ParsedHeader, "id" | "header">>,
): View {
  const machine = new Machine(options);
  for (const { id, header } of headers) {
    machine.handle({ kind: "header", id, header, nowMs: 0 });
    // Whether its body passed matters only to the next parents, in rounds that have not settled.
    machine.handle({ kind: "body", id, passed: true, nowMs: 0 });
  }
  machine.handle({ kind: "begin", nowMs: 0 });
  for (let round = -1, nowMs = PATIENCE_MS; machine.round > round; nowMs += PATIENCE_MS) {
    round = machine.round;
    machine.handle({ kind: "tick", nowMs });
  }
  return machine.view;
}
