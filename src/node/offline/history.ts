/**
 * History from a data folder, as a node that starts on it sees it: its headers go through the state machine, which
 * moves as far as it can without a trainer. Nothing is folded and no body is read.
 */
import {
  Machine,
  type MachineOptions,
  type ParsedHeader,
  type View,
  parseHeader,
} from "../../consensus/index.ts";
import { type RunId, assert } from "../../core/index.ts";
import type { Store } from "../../storage/index.ts";
import { checkWhole } from "../join/whole-history.ts";
import type { Manifest } from "../run/manifest.ts";
import { graphOptions, originOf } from "../climb/phase-origin.ts";

/** Longer than any patience: what a round still waits for is not coming. */
const PATIENCE_MS = 2 ** 40;

/**
 * History as the folder's own node sees it, phase by phase from the first, as far as there is any. Signatures were checked
 * before storing.
 */
export async function readHistory(
  store: Store,
  { run, manifest }: { run: RunId; manifest: Manifest },
): Promise<View[]> {
  const views: View[] = [];
  for (const phase of manifest.phases.keys()) {
    const headers = await readHeaders(store, phase);
    const [first] = headers;
    if (first === undefined) break;
    if (phase === 0) await checkWhole(store.dir, first.header.round);
    const origin = originOf(first.header, { manifest, below: views.at(-1) });
    if (origin === undefined) break;
    const options = { ...graphOptions(manifest, { run, phase, origin }), self: store.peerId };
    views.push(replay(options, headers));
  }
  return views;
}

async function readHeaders(store: Store, phase: number): Promise<ParsedHeader[]> {
  const headers: ParsedHeader[] = [];
  for await (const bytes of store.contributions.all(phase)) {
    const parsed = parseHeader(bytes);
    assert(parsed.kind === "accept", "a stored header has parsed before, and its hash was checked");
    headers.push(parsed.value);
  }
  return headers;
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
