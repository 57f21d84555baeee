/** Every signed header on the disk: hash, shape, signature and place; then linked to what it cites. */
import { ContributionGraph, type GraphOptions, type ParsedHeader, idOf } from "../../consensus/index.ts";
import { type Archive, type ArchivedHeader, headerKey } from "../../storage/index.ts";
import { verifyHeader } from "../keys/identity.ts";
import type { Tally } from "./findings.ts";

export interface StoredHeaders {
  readonly byPhase: ReadonlyMap<number, readonly ParsedHeader[]>;
  /** What is false about them was said already, so that it need not be said that those who cite them miss them. */
  readonly named: Set<string>;
}

/** All that are sound by themselves. */
export async function readHeaders(
  source: Pick<Archive, "headers" | "places">,
  { tally, signal }: { tally: Tally; signal: AbortSignal },
): Promise<StoredHeaders> {
  const keys = new Map<string, string>();
  const named = new Set<string>();
  const byPhase = new Map<number, ParsedHeader[]>();
  for await (const record of source.headers()) {
    if (signal.aborted) return { byPhase, named };
    const id = record.key.slice(record.key.lastIndexOf("/") + 1);
    keys.set(id, record.key);
    tally.checked.headers += 1;
    const parsed = await checkHeader(record, id, tally);
    if (parsed === undefined) {
      named.add(id);
      continue;
    }
    const { phase } = parsed.header;
    const ofPhase = byPhase.get(phase) ?? [];
    byPhase.set(phase, ofPhase);
    ofPhase.push(parsed);
  }
  await checkPlaces(source, keys, tally);
  return { byPhase, named };
}

/** The history that a phase's headers make, as far as they fit together. */
export function linkHeaders(
  { byPhase, named }: StoredHeaders,
  { graph: options, tally }: { graph: GraphOptions; tally: Tally },
): ContributionGraph {
  const graph = new ContributionGraph(options);
  const headers = byPhase.get(options.phase) ?? [];
  let later: ParsedHeader[] = [];

  const link = (parsed: ParsedHeader): void => {
    const admission = graph.add(parsed.id, parsed.header);
    if (admission.kind === "ignore") later.push(parsed);
    if (admission.kind !== "reject") return;
    tally.refuse(parsed.id, admission);
    named.add(parsed.id);
  };

  for (const parsed of headers) link(parsed);
  // Bounds against strangers go by the order of arrival; what somebody cites is let in once that one is known.
  for (let before = Infinity; later.length > 0 && later.length < before;) {
    const again = later;
    before = again.length;
    later = [];
    for (const parsed of again) link(parsed);
  }
  for (const id of graph.missing()) {
    if (!named.has(id)) tally.find("HEADER_MISSING", id, "expected the header that others cite, got none");
  }
  tally.unchecked.headers += headers.filter(({ id }) => graph.get(id) === undefined && !named.has(id)).length;
  return graph;
}

async function checkHeader(
  { key, bytes }: ArchivedHeader,
  id: string,
  tally: Tally,
): Promise<ParsedHeader | undefined> {
  const actual = idOf(bytes);
  if (actual !== id) {
    tally.find("HEADER_HASH", id, `expected the bytes of this id, got those of ${actual}`);
    return undefined;
  }
  const verdict = await verifyHeader(bytes);
  if (verdict.kind !== "accept") {
    tally.refuse(id, verdict);
    return undefined;
  }
  const { phase, round } = verdict.value.header;
  const expected = headerKey(phase, round, verdict.value.id);
  if (key !== expected) tally.find("HEADER_PLACE", id, `expected it to be stored as ${expected}, got ${key}`);
  return verdict.value;
}

/** The index by id and the headers must tell of the same: what is in one only was lost in the other. */
async function checkPlaces(
  source: Pick<Archive, "places">,
  keys: Map<string, string>,
  tally: Tally,
): Promise<void> {
  for await (const { id, key } of source.places()) {
    const stored = keys.get(id);
    if (stored !== key) {
      tally.find("HEADER_INDEX", id, `expected the index to name ${stored ?? "a stored header"}, got ${key}`);
    }
    keys.delete(id);
  }
  for (const id of keys.keys())
    tally.find("HEADER_INDEX", id, "expected it in the index by id, got no entry");
}
