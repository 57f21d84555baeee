/**
 * A node's part in what comes after its run: which proposals others name, which one it supports itself, and going over to it
 * once it is carried (consensus/support.ts). Nothing is sent for it but the `supports` of contributions; records are fetched
 * from those who name them.
 */
import type { PrivateKey } from "@libp2p/interface";
import { type Machine, Support, type Supported, supportIn } from "../../consensus/index.ts";
import {
  type Cid,
  type Logger,
  type PeerId,
  type RunId,
  StarlingError,
  type Verdict,
  ignore,
  messageOf,
  parseCid,
} from "../../core/index.ts";
import type { Swarm } from "../../gossip/index.ts";
import { type Store, readFiles, writeFiles } from "../../storage/index.ts";
import { readStoredData } from "../data/run-data.ts";
import { type Manifest, parseManifest, runIdOf } from "../run/manifest.ts";
import type { Successor } from "../status.ts";
import { manifestDiff } from "./diff.ts";
import { makeSuccessorFolder } from "./new-folder.ts";
import { type Proposal, openProposal, signProposal, successorOf, unfitFor } from "./proposal.ts";

/** Which proposal the node supports, in its data folder. */
const SUPPORTS_FILE = "supports.json";
/** Rounds back in which proposals are looked for, and how many are shown. Guess. */
const LOOK_BACK_ROUNDS = 64;
const PROPOSALS_MAX = 32;
const FETCH_MS_MAX = 5_000;

export interface SuccessionDeps {
  readonly run: RunId;
  readonly manifest: Manifest;
  readonly key: PrivateKey;
  readonly store: Store;
  readonly swarm: Pick<Swarm, "fetchBlock" | "peers">;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** A proposal as this node sees it. */
export interface ProposalStatus {
  readonly proposal: Cid;
  /** Null: nobody gives us the record, or it is not one for this run. */
  readonly author: PeerId | null;
  readonly name: string | null;
  readonly until: Proposal["until"] | null;
  readonly diff: string | null;
  /** Why there is none. */
  readonly detail: string | null;
  /** Of all voting weight, of those who name it: in the newest settled round, and in the newest of all. */
  readonly settledShare: number;
  readonly newestShare: number;
  /** In how many settled rounds in a row it had two thirds; so many are needed. */
  readonly rounds: number;
  readonly roundsNeeded: number;
  /** The settled round at which it was carried. */
  readonly carriedAt: number | null;
  readonly isOurs: boolean;
}

export class Succession {
  readonly #deps: SuccessionDeps;
  readonly #known = new Map<Cid, Verdict<Proposal>>();
  readonly #support = new Support();
  #ours: Proposal | undefined;
  #successor: Successor | undefined;

  static async open(deps: SuccessionDeps): Promise<Succession> {
    const succession = new Succession(deps);
    const file = await readFiles(deps.store.dir, [SUPPORTS_FILE]).catch(() => undefined);
    const bytes = file?.get(SUPPORTS_FILE);
    if (bytes !== undefined) succession.#ours = await succession.#ofFile(bytes);
    return succession;
  }

  private constructor(deps: SuccessionDeps) {
    this.#deps = deps;
  }

  /** Set once the node has left the run. */
  get successor(): Successor | undefined {
    return this.#successor;
  }

  /** What a machine of this phase names. */
  supportedIn(phase: number): Supported | null {
    const ours = this.#ours;
    return ours?.until.phase === phase ? { proposal: ours.cid, untilRound: ours.until.round } : null;
  }

  /**
   * Signs a manifest as a proposal, to be carried within so many further settled rounds, and supports it.
   * @throws StarlingError `MANIFEST_INVALID`, `PROPOSAL_UNFIT`, `DATA_INVALID` when its data is not in our folder
   */
  async propose(value: unknown, withinRounds: number, { phase, machine }: At): Promise<Cid> {
    const { run, manifest, key, store } = this.#deps;
    const draft = { ...parseManifest(value), start: null };
    const until = { phase, round: machine.view.settledRound + withinRounds };
    const unfit = unfitFor(draft, manifest, until);
    if (unfit !== undefined) throw new StarlingError("PROPOSAL_UNFIT", unfit);
    // Others will ask us for it.
    await readStoredData(store.blocks, draft);
    const { proposal, bytes } = await signProposal({ run, until, draft }, key);
    await store.blocks.put(proposal.cid, bytes);
    await this.#choose(proposal);
    return proposal.cid;
  }

  /** Names a proposal in our contributions from now on; null: none. @throws StarlingError `PROPOSAL_UNKNOWN` */
  async support(cid: Cid | null, at: At): Promise<void> {
    if (cid === null) return this.#choose(undefined);
    const found = await this.#read(cid, authorsNaming(at.machine).get(cid) ?? []);
    if (found.kind === "accept") return this.#choose(found.value);
    throw new StarlingError(
      "PROPOSAL_UNKNOWN",
      `expected a proposal for this run under ${cid}, got: ${found.detail}; \`starling proposals\` lists them`,
    );
  }

  /** What is named in the last rounds, the most supported first. */
  async proposals({ machine }: At): Promise<ProposalStatus[]> {
    const naming = authorsNaming(machine);
    if (this.#ours !== undefined && !naming.has(this.#ours.cid)) naming.set(this.#ours.cid, []);
    const statuses: ProposalStatus[] = [];
    for (const [cid, authors] of [...naming].slice(0, PROPOSALS_MAX))
      statuses.push(this.#statusOf(cid, await this.#read(cid, authors), machine));
    return statuses.toSorted((a, b) => b.newestShare - a.newestShare || (a.proposal < b.proposal ? -1 : 1));
  }

  /** The proposal that we support was carried at `round`: makes the folder in which the node goes on. */
  async goOver(weights: Cid, round: number): Promise<Successor> {
    const { store, log } = this.#deps;
    const ours = this.#ours;
    if (ours === undefined)
      throw new StarlingError("PROPOSAL_UNKNOWN", "expected a proposal that we support");
    const manifest = successorOf(ours, weights);
    const dataDir = await makeSuccessorFolder(store, manifest, log);
    this.#successor = { run: runIdOf(manifest), dataDir, round };
    log.info("leaving for the successor of the run", { ...this.#successor });
    return this.#successor;
  }

  #statusOf(cid: Cid, found: Verdict<Proposal>, { view }: Machine): ProposalStatus {
    const proposal = found.kind === "accept" ? found.value : undefined;
    const shareIn = (round: number): number => {
      const support = supportIn(view, round).get(cid);
      return support === undefined || support.of === 0 ? 0 : support.weight / support.of;
    };
    return {
      proposal: cid,
      author: proposal?.author ?? null,
      name: proposal?.draft.name ?? null,
      until: proposal?.until ?? null,
      diff: proposal ? manifestDiff(this.#deps.manifest, proposal.draft) : null,
      detail: found.kind === "accept" ? null : found.detail,
      settledShare: shareIn(view.settledRound - 1),
      newestShare: shareIn(view.round - 1),
      rounds: this.#support.streakOf(view, cid),
      roundsNeeded: view.context.rule.settleDepth,
      carriedAt: this.#support.carriedAt(view, cid) ?? null,
      isOurs: this.#ours?.cid === cid,
    };
  }

  async #choose(proposal: Proposal | undefined): Promise<void> {
    const { store } = this.#deps;
    const bytes = Buffer.from(`${JSON.stringify({ supports: proposal?.cid ?? null })}\n`);
    await writeFiles(store.dir, new Map([[SUPPORTS_FILE, bytes]]));
    this.#ours = proposal;
  }

  async #ofFile(bytes: Uint8Array): Promise<Proposal | undefined> {
    const { supports } = JSON.parse(Buffer.from(bytes).toString("utf8")) as { supports?: unknown };
    if (typeof supports !== "string" || parseCid(supports) === undefined) return undefined;
    const found = await this.#read(supports as Cid, []);
    return found.kind === "accept" ? found.value : undefined;
  }

  /** From our disk, or from those who name it. */
  async #read(cid: Cid, authors: readonly PeerId[]): Promise<Verdict<Proposal>> {
    const known = this.#known.get(cid);
    if (known !== undefined) return known;
    const { run, manifest, store, swarm, signal } = this.#deps;
    let bytes = await store.blocks.get(cid);
    if (bytes === undefined) {
      try {
        const holders = [...new Set([...authors, ...swarm.peers()])];
        const within = AbortSignal.any([signal, AbortSignal.timeout(FETCH_MS_MAX)]);
        bytes = await swarm.fetchBlock(cid, holders, { signal: within });
      } catch (error) {
        // Nobody has it now; the next time it is asked for again.
        return ignore("PROPOSAL_MISSING", messageOf(error));
      }
      await store.blocks.put(cid, bytes);
    }
    const opened = await openProposal(bytes, { run, manifest });
    if (this.#known.size < PROPOSALS_MAX) this.#known.set(cid, opened);
    return opened;
  }
}

/** Where the node is in its run. */
export interface At {
  readonly phase: number;
  readonly machine: Machine;
}

/** Who names what in the last rounds. */
function authorsNaming({ graph, view }: Machine): Map<Cid, PeerId[]> {
  const naming = new Map<Cid, PeerId[]>();
  for (let round = Math.max(0, view.round - LOOK_BACK_ROUNDS); round < graph.roundsCount; round++) {
    for (const { header } of graph.round(round)) {
      const { supports, author } = header;
      if (supports === null) continue;
      const authors = naming.get(supports) ?? [];
      if (!authors.includes(author)) authors.push(author);
      naming.set(supports, authors);
    }
  }
  return naming;
}
