/**
 * The list of runs, out of what their nodes said. Numbers are what most of a run's nodes say; places go round over the
 * networks that the nodes answered from, so that one machine with many keys, or many made-up runs, fills no more of a
 * bounded list than the others leave.
 */
import { type PeerId, type RunId, assert } from "../../core/index.ts";
import { encodeRunAddress } from "../join/run-address.ts";
import { costsOf } from "../run/costs.ts";
import type { Manifest } from "../run/manifest.ts";
import type { Presence } from "./presence.ts";

/** Guess: more than anybody reads. */
export const RUNS_MAX = 64;

/** What one node said, and the manifest that its run's name is the hash of. */
export interface Sighting {
  readonly presence: Presence;
  readonly manifest: Manifest;
  /** Where the node can be dialled, with /p2p/. */
  readonly addresses: readonly string[];
  /** Where it answered: the network that it is counted for. */
  readonly reachedAt: string | undefined;
}

/** A live run, as `starling runs --json` shows it. */
export interface RunListing {
  readonly run: RunId;
  /** Whatever its founder wrote. */
  readonly name: string;
  readonly phase: number;
  readonly phasesCount: number;
  readonly round: number;
  /** Of the phase's model. */
  readonly parameters: number;
  /** Who contributes now. */
  readonly contributors: number;
  /** What the phase needs of a joiner's machine, with these contributors (run/costs.ts). */
  readonly memoryBytes: number;
  readonly roundTrafficBytes: number;
  readonly hourTrafficBytesMin: number;
  /** Nodes that told of it. */
  readonly peers: readonly PeerId[];
  /** For `starling join`, without a settled root: strangers are not to be trusted with one. */
  readonly address: string;
}

/** The largest flocks first; at most `RUNS_MAX`. */
export function listRuns(sightings: readonly Sighting[]): RunListing[] {
  const byRun = Map.groupBy(sightings, ({ presence }) => presence.run);
  const runs = [...byRun].map(([run, seen]) => ({
    listing: listingOf(run, seen),
    networks: new Set(seen.map(({ reachedAt }) => networkOf(reachedAt))),
  }));
  return fairly(runs)
    .map(({ listing }) => listing)
    .toSorted((a, b) => b.contributors - a.contributors || (a.run < b.run ? -1 : 1));
}

/** Not more than half of those who answered can be outdone by the rest: the median. */
function listingOf(run: RunId, seen: readonly Sighting[]): RunListing {
  const { manifest } = seen[0] as Sighting;
  const phase = medianOf(seen.map(({ presence }) => presence.phase));
  const there = seen.filter(({ presence }) => presence.phase === phase);
  const contributors = medianOf(there.map(({ presence }) => presence.contributors));
  const costs = costsOf(manifest, Math.max(1, contributors))[phase];
  assert(costs !== undefined, "a sighting's phase is one of the manifest's");
  return {
    run,
    name: manifest.name,
    phase,
    phasesCount: manifest.phases.length,
    round: medianOf(there.map(({ presence }) => presence.round)),
    parameters: costs.parameters,
    contributors,
    memoryBytes: costs.memoryBytes,
    roundTrafficBytes: costs.roundTrafficBytes,
    hourTrafficBytesMin: costs.hourTrafficBytesMin,
    peers: seen.map(({ presence }) => presence.peer),
    address: encodeRunAddress({
      run,
      settled: null,
      peers: seen.flatMap(({ addresses }) => addresses.slice(0, 1)),
    }),
  };
}

/** Of an odd or even number of values, one that is among them. */
function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/**
 * In turns: of each network the run that most nodes told of, then of each the next, as far as the list goes. A run counts for
 * every network that it was seen in.
 */
function fairly<T extends { listing: RunListing; networks: ReadonlySet<string> }>(runs: readonly T[]): T[] {
  const taken = new Map<string, number>();
  const left = new Set(runs.toSorted((a, b) => b.listing.peers.length - a.listing.peers.length));
  const order: T[] = [];
  const turnOf = ({ networks }: T): number =>
    Math.min(...[...networks].map((network) => taken.get(network) ?? 0));
  while (left.size > 0 && order.length < RUNS_MAX) {
    const next = [...left].reduce((first, run) => (turnOf(run) < turnOf(first) ? run : first));
    left.delete(next);
    order.push(next);
    for (const network of next.networks) taken.set(network, (taken.get(network) ?? 0) + 1);
  }
  return order;
}

/** Who holds an address usually holds its neighbours: /24 of IPv4, /48 of IPv6, else the name. */
export function networkOf(address: string | undefined): string {
  const [, protocol = "", host = ""] = (address ?? "").split("/");
  if (protocol === "ip4") return host.split(".").slice(0, 3).join(".");
  if (protocol === "ip6") return host.split(":").slice(0, 3).join(":");
  return host;
}
