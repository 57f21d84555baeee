/**
 * Looking for live runs: every node that the hash table names is asked for its presence, a few at a time, and each run's
 * manifest is fetched once. Whatever peers answer gets a verdict, and everything has a bound, so that a search ends with
 * what it has found, whoever lies.
 */
import PQueue from "p-queue";
import {
  type Logger,
  type PeerId,
  type RunId,
  StarlingError,
  type Verdict,
  accept,
  ignore,
  messageOf,
  reject,
} from "../../core/index.ts";
import type { Herald, Lookout } from "../../gossip/index.ts";
import { type Manifest, decodeManifest } from "../run/manifest.ts";
import { RUNS_MAX, type RunListing, type Sighting, listRuns, networkOf } from "./listing.ts";
import { type Presence, openPresence } from "./presence.ts";

/** The whole search. Guess: what a person waits for. */
const LOOK_MS_MAX = 12_000;
/** One node, dialling included: records in the hash table live two days, so many are of nodes that have gone. Guess. */
const ASK_MS_MAX = 5_000;
const AT_ONCE = 16;
/** Nodes that are asked in one search, and those of one network. Guesses: eight nodes of each of 64 runs; four runs behind one router. */
const ASKED_MAX = 512;
const ASKED_PER_NETWORK_MAX = 32;
/** Runs whose manifest is fetched: each may be a mebibyte. */
const MANIFESTS_MAX = 4 * RUNS_MAX;

export interface LookDeps {
  readonly lookout: Lookout;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** At most `RUNS_MAX` runs. Ends by itself. `own`: of the node that looks. */
export async function lookForRuns(deps: LookDeps, own: readonly Sighting[] = []): Promise<RunListing[]> {
  const signal = AbortSignal.any([deps.signal, AbortSignal.timeout(LOOK_MS_MAX)]);
  const look = new Look({ ...deps, signal }, own);
  await look.run();
  return listRuns(look.sightings);
}

class Look {
  readonly sightings: Sighting[];
  readonly #deps: LookDeps;
  readonly #asking = new PQueue({ concurrency: AT_ONCE });
  readonly #askedOf = new Map<string, number>();
  readonly #manifests = new Map<RunId, Promise<Verdict<Manifest>>>();

  constructor(deps: LookDeps, own: readonly Sighting[]) {
    this.#deps = deps;
    this.sightings = [...own];
  }

  async run(): Promise<void> {
    const { lookout, signal } = this.#deps;
    const asked: Promise<unknown>[] = [];
    for await (const herald of lookout.heralds(signal)) {
      const network = networkOf(herald.addresses[0]);
      const ofNetwork = this.#askedOf.get(network) ?? 0;
      if (ofNetwork >= ASKED_PER_NETWORK_MAX) continue;
      this.#askedOf.set(network, ofNetwork + 1);
      if (asked.push(this.#asking.add(() => this.#ask(herald))) === ASKED_MAX) break;
    }
    await Promise.all(asked);
  }

  async #ask({ peer, addresses }: Herald): Promise<void> {
    const { lookout, log } = this.#deps;
    const signal = AbortSignal.any([this.#deps.signal, AbortSignal.timeout(ASK_MS_MAX)]);
    const check = (bytes: Uint8Array, nonce: Uint8Array): Promise<Verdict<Presence>> =>
      openPresence(bytes, { from: peer, nonce });
    const said = await lookout.presence(peer, check, { signal });
    if (said.kind !== "accept")
      return log.debug("no presence", { peer, code: said.code, detail: said.detail });
    if (said.value === undefined) return;
    const presence = said.value;
    const reachedAt = lookout.reachedAt(peer);
    const manifest = await this.#manifestOf(presence.run, peer, signal);
    const seen =
      manifest.kind === "accept" ? sightingOf(presence, manifest.value, { addresses, reachedAt }) : manifest;
    if (seen.kind === "accept") this.sightings.push(seen.value);
    else log.debug("presence refused", { peer, code: seen.code, detail: seen.detail });
  }

  /** Once for each run, from whoever told of it first; from the next when that one has not got it. */
  async #manifestOf(run: RunId, peer: PeerId, signal: AbortSignal): Promise<Verdict<Manifest>> {
    const known = await this.#manifests.get(run);
    if (known !== undefined && (known.kind === "accept" || known.kind === "reject")) return known;
    if (known === undefined && this.#manifests.size >= MANIFESTS_MAX)
      return ignore("PRESENCE_MANY", `expected at most ${MANIFESTS_MAX} runs`);
    const fetching = this.#fetchManifest(run, peer, signal);
    this.#manifests.set(run, fetching);
    return fetching;
  }

  async #fetchManifest(run: RunId, peer: PeerId, signal: AbortSignal): Promise<Verdict<Manifest>> {
    try {
      return accept(decodeManifest(await this.#deps.lookout.fetchBlock(run, [peer], { signal })));
    } catch (error) {
      // Peers' bytes, or none: both are an answer.
      if (!(error instanceof StarlingError)) throw error;
      if (error.code === "MANIFEST_INVALID") return reject("PRESENCE_MANIFEST", messageOf(error));
      return ignore(error.code, error.message);
    }
  }
}

/** What is said must fit the run: `PRESENCE_UNFIT`. */
function sightingOf(
  presence: Presence,
  manifest: Manifest,
  at: Pick<Sighting, "addresses" | "reachedAt">,
): Verdict<Sighting> {
  const { phase, contributors } = presence;
  const membersMax = manifest.phases[phase]?.rule.membersMax;
  if (membersMax === undefined || contributors > membersMax)
    return reject(
      "PRESENCE_UNFIT",
      `expected a phase below ${manifest.phases.length} and no more contributors than it takes, got ${phase} and ${contributors}`,
    );
  if (manifest.admission !== undefined)
    return reject("PRESENCE_UNFIT", "expected an open run, got one that lists who may take part");
  return accept({ presence, manifest, ...at });
}
