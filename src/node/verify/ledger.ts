/** `starling ledger`: every contribution that a folder holds, whether history includes it, and if not, why not. */
import type { Contribution, ContributionGraph, GraphOptions } from "../../consensus/index.ts";
import type { Cid, ContributionId, PeerId } from "../../core/index.ts";
import { StarlingError, matchesCid } from "../../core/index.ts";
import type { Archive } from "../../storage/index.ts";
import { decodeManifest } from "../run/manifest.ts";
import { graphOptions, originOf } from "../climb/phase-origin.ts";
import { readStartWeights } from "../run/start-weights.ts";
import { archivedBodies } from "./data-check.ts";
import { type Finding, Tally } from "./findings.ts";
import { linkHeaders, readHeaders } from "./headers.ts";
import { firstFacts } from "./phase.ts";
import { type SettledHistory, isElsewhere, settledHistory } from "./settled-history.ts";

/** Why a contribution is not included, in the order in which they are looked for. */
export type Exclusion =
  | "other history"
  | "equivocation"
  | "round not decided"
  | "not yet settled"
  | "not cited by half of the weight";

export interface LedgerEntry {
  readonly id: ContributionId;
  readonly author: PeerId;
  readonly phase: number;
  readonly round: number;
  readonly steps: number;
  readonly tokens: number;
  readonly lossFirst: number | null;
  readonly lossLast: number | null;
  /** Null and 0 in a closing contribution. */
  readonly deltaCid: Cid | null;
  readonly deltaBytes: number;
  readonly parents: number;
  /** In history as this node's newest contribution sees it. */
  readonly included: boolean;
  /** That will not change any more. */
  readonly settled: boolean;
  readonly why: Exclusion | null;
}

export interface LedgerFilter {
  readonly author?: PeerId;
  readonly phase?: number;
  readonly rounds?: { readonly first: number; readonly last: number };
  readonly included?: boolean;
}

/**
 * In the order of phases, rounds and ids. What can't be linked is left out and named to `onFinding`.
 * @throws StarlingError `MANIFEST_MISSING`, `DISK_READ_FAILED`
 */
export async function readLedger(
  source: Archive,
  o: { filter: LedgerFilter; onFinding: (finding: Finding) => void; signal: AbortSignal },
): Promise<LedgerEntry[]> {
  const block = await source.block(source.run);
  if (block === undefined || !matchesCid(source.run, block)) {
    throw new StarlingError(
      "MANIFEST_MISSING",
      `expected the manifest of run ${source.run} in ${source.dir}, got none`,
    );
  }
  const manifest = decodeManifest(block);
  const startBytes = await readStartWeights(manifest, archivedBodies(source));
  const tally = new Tally(o.onFinding);
  const headers = await readHeaders(source, { tally, signal: o.signal });
  const entries: LedgerEntry[] = [];
  let options: GraphOptions | undefined = firstFacts(source.run, manifest, startBytes).graph;
  for (let phase = 0; options !== undefined; phase++) {
    const graph = linkHeaders(headers, { graph: options, tally });
    const history = settledHistory(graph, source.self);
    if (history === undefined) break;
    for (let round = 0; round < graph.roundsCount; round++) {
      const contributions = graph.round(round).toSorted((a, b) => (a.id < b.id ? -1 : 1));
      for (const c of contributions) entries.push(entryOf(c, graph, history));
    }
    // Nothing is folded here, so a phase is taken at its word for what it starts from.
    const claimed = headers.byPhase.get(phase + 1)?.[0]?.header;
    const origin = claimed && originOf(claimed, { manifest, below: history.view });
    options = origin && graphOptions(manifest, { run: source.run, phase: phase + 1, origin });
  }
  return entries.filter((entry) => fits(entry, o.filter));
}

function entryOf(c: Contribution, graph: ContributionGraph, history: SettledHistory): LedgerEntry {
  const { id, header } = c;
  const { author, phase, round, work, delta, parents } = header;
  const why = exclusionOf(c, graph, history);
  return {
    id,
    author,
    phase,
    round,
    steps: work.steps,
    tokens: work.tokens,
    lossFirst: work.lossFirst,
    lossLast: work.lossLast,
    deltaCid: delta?.cid ?? null,
    deltaBytes: delta?.bytes ?? 0,
    parents: parents.length,
    included: why === null,
    settled: round < history.view.settledRound,
    why,
  };
}

function exclusionOf(c: Contribution, graph: ContributionGraph, history: SettledHistory): Exclusion | null {
  const { view, spine } = history;
  const { author, round } = c.header;
  // What is included in the newest round is what the next one is going to cite.
  const isDecided = round < spine.length - 1;
  if (isDecided && view.included(round).includes(c)) return null;
  if (isElsewhere(history, c)) return "other history";
  if (graph.round(round).some((other) => other !== c && other.header.author === author))
    return "equivocation";
  if (!isDecided) return "round not decided";
  return round < view.settledRound ? "not cited by half of the weight" : "not yet settled";
}

function fits(entry: LedgerEntry, { author, phase, rounds, included }: LedgerFilter): boolean {
  return (
    (author === undefined || entry.author === author) &&
    (phase === undefined || entry.phase === phase) &&
    (rounds === undefined || (entry.round >= rounds.first && entry.round <= rounds.last)) &&
    (included === undefined || entry.included === included)
  );
}
