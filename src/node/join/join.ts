/**
 * Joining at the settled state that an address names: its headers begin there, and nothing of before is asked for. After a
 * restart such a folder goes on from the newest state of its own. Everybody else has all headers (footholds.ts).
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Base } from "../../consensus/index.ts";
import { type Clock, type Logger, type RunId, assert } from "../../core/index.ts";
import type { Swarm } from "../../gossip/index.ts";
import { type ServedCheckpoints, type Store, writeFiles } from "../../storage/index.ts";
import { parametersCount } from "../../trainer/index.ts";
import type { LearnerClient } from "../learner/client.ts";
import { type Manifest, phaseOf } from "../run/manifest.ts";
import { decodeBase } from "./base-record.ts";
import { pullBase } from "./pull-base.ts";
import { HINTS_MAX, type SettledName, encodeRunAddress } from "./run-address.ts";
import { takeBase } from "./take-base.ts";
import { JOINED_FILE } from "./whole-history.ts";

/** Of the hints in an address, our own. Guess: the rest are others', who may live longer. */
const OWN_HINTS_MAX = 3;

export interface JoinDeps {
  readonly run: RunId;
  readonly manifest: Manifest;
  readonly store: Store;
  readonly served: ServedCheckpoints;
  readonly swarm: Swarm;
  readonly learner: LearnerClient["learner"];
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

export interface Beginning {
  /** The learner has its weights. */
  readonly base: Base | undefined;
  /** Only histories that extend it are followed. */
  readonly landmark: SettledName | undefined;
}

/**
 * Whether whoever joins at a settled state needs no headers of before. Of a ladder everybody needs them: the end of a phase and
 * who is admitted to the next are folds over all of its rounds. There the state is only what is folded from (footholds.ts).
 */
export function isJoinable({ phases }: Manifest): boolean {
  return phases.length === 1;
}

/** The run's address as this node can give it. */
export function addressOf(run: RunId, swarm: Swarm, served: ServedCheckpoints): string {
  const isLoopback = (address: string): boolean => /^\/ip4\/127\.|^\/ip6\/::1\//.test(address);
  const own = swarm.addresses().toSorted((a, b) => Number(isLoopback(a)) - Number(isLoopback(b)));
  const others = swarm
    .links()
    .filter(({ inbound }) => !inbound)
    .map(({ peer, address }) => (address.includes("/p2p/") ? address : `${address}/p2p/${peer}`));
  const peers = [...new Set([...own.slice(0, OWN_HINTS_MAX), ...others])].slice(0, HINTS_MAX);
  const [newest] = served.states();
  const settled = newest && { phase: newest.phase, round: newest.round, root: newest.root };
  return encodeRunAddress({ run, settled: settled ?? null, peers });
}

export class Join {
  readonly #deps: JoinDeps;

  constructor(deps: JoinDeps) {
    this.#deps = deps;
  }

  /** `given`: of the address that the user gave, if any. Throws `ADDRESS_OTHER_HISTORY`. */
  async start(given: SettledName | undefined): Promise<Beginning> {
    const joined = await this.#readJoined();
    const landmark = given ?? joined;
    if (landmark === undefined) return { base: undefined, landmark };
    if (!isJoinable(this.#deps.manifest)) {
      await this.#writeJoined(landmark);
      return { base: undefined, landmark };
    }
    const isSame = joined?.root === landmark.root;
    const base = (isSame ? await this.#fromSaved() : undefined) ?? (await this.#fromPeers(landmark));
    const { log } = this.#deps;
    if (base === undefined)
      log.info("nobody holds the settled state of the address any more: all headers are read instead", {
        ...landmark,
      });
    else log.info("going on from a settled state", { round: base.round, root: base.root });
    return { base, landmark };
  }

  async #fromSaved(): Promise<Base | undefined> {
    const { learner, run, manifest } = this.#deps;
    const record = await learner.startFromSaved();
    if (record === undefined) return undefined;
    const decoded = decodeBase(record, { run, rule: phaseOf(manifest, 0).rule });
    assert(decoded.kind === "accept", "a sealed record is one");
    return decoded.value.base;
  }

  async #fromPeers(wanted: SettledName): Promise<Base | undefined> {
    const { learner, run, manifest, store, served } = this.#deps;
    const { rule, model } = phaseOf(manifest, 0);
    for (;;) {
      const { blocks } = store;
      const weightsBytes = 4 * parametersCount(model);
      const pulled = await pullBase({ ...this.#deps, rule, wanted, weightsBytes, blocks });
      if (pulled === undefined) return undefined;
      // Before the checkpoint: a folder with one and without this would fold from the start after all.
      await this.#writeJoined(wanted);
      const base = await takeBase(pulled, { run, learner, served, blocks });
      if (base !== undefined) return base;
    }
  }

  async #readJoined(): Promise<SettledName | undefined> {
    try {
      const text = await readFile(join(this.#deps.store.dir, JOINED_FILE), "utf8");
      return JSON.parse(text) as SettledName;
    } catch (error) {
      // Most folders have none; an unreadable one must not be folded from the start unseen.
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }

  async #writeJoined(name: SettledName): Promise<void> {
    const text = `${JSON.stringify(name, null, 2)}\n`;
    await writeFiles(this.#deps.store.dir, new Map([[JOINED_FILE, new TextEncoder().encode(text)]]));
  }
}
