/** What a node is made from: what its user says (`NodeOptions`), and what its surroundings give (`NodeDeps`). */
import type { Clock, Logger, RunId } from "../core/index.ts";
import type { NodeMetrics } from "../dashboard/index.ts";
import type { ReachOptions } from "../gossip/index.ts";
import type { EngineName, GradientMemory } from "../trainer/index.ts";
import type { Evaluate } from "./model/evaluations.ts";
import type { UseOptions } from "./idle/conditions.ts";
import type { SettledName } from "./join/run-address.ts";
import type { Cheat } from "./learner/cheat.ts";
import type { LineOptions } from "./network/limited-swarm.ts";
import type { Recorder } from "./round/loop.ts";
import type { Manifest } from "./run/manifest.ts";

export interface NodeOptions {
  /** The node's own folder: key, blocks, history. Made when it is not there; one node at a time. */
  readonly dataDir: string;
  /** A manifest at hand, or only its CID: then it is fetched from peers. */
  readonly run: Manifest | RunId;
  /** A settled state out of the run's address: the node joins at it, and follows only histories that extend it. */
  readonly settled?: SettledName | null | undefined;
  /** Multiaddrs. Default: every interface, at a port that the system chooses. */
  readonly listen?: readonly string[];
  /** Multiaddrs that others are told to dial instead. Default: where it listens, as others see it. */
  readonly announce?: readonly string[];
  /** Multiaddrs of nodes to dial first. Default: none. */
  readonly bootstrap?: readonly string[];
  /** `serve`: holds and gives what the run has, and trains nothing. Default: `train`. */
  readonly role?: "train" | "serve";
  /** Default: the fastest that passes a trial on the run's model. */
  readonly engine?: EngineName | "auto";
  /** Which device, for engines that have several (trainer, `takeDevices`). */
  readonly device?: string | undefined;
  /** Instead: a trainer for each of these, and one contribution of them all; wants an engine by name. */
  readonly devices?: "all" | readonly number[] | undefined;
  /** Bytes of each GPU that training may take, by estimate; default: as much as it needs. */
  readonly gpuMemoryMax?: number | null;
  /** Matrix products in float16; wants an engine by name. */
  readonly mixedPrecision?: boolean;
  /** Of the trainer; several nodes on one machine want one each. 0, the default: one per core. */
  readonly threads?: number;
  /** How to need less memory; changes no result beyond float32's rounding. */
  readonly memory?: GradientMemory;
  /** Find nodes by the distributed hash table, by multicast in the LAN. Default: both. */
  readonly dht?: boolean;
  readonly mdns?: boolean;
  /** Keep loopback and private addresses in the DHT: for runs on one machine or one LAN. Default: no. */
  readonly localAddresses?: boolean;
  /**
   * Tell strangers of the run (`starling runs`), unless it is closed. Default: where the hash table is used and private
   * addresses do not count.
   */
  readonly listed?: boolean;
  /** When it may train; default: always. */
  readonly use?: UseOptions;
  /** How fast it may send and receive; default: as it goes. */
  readonly line?: LineOptions;
  /** How much of the disk the data folder may take, and whether bodies of long ago stay. Default: as it needs, and no. */
  readonly diskMax?: number | null;
  readonly archive?: boolean;
  /** How it is reached behind a router, and whether it carries those who are; absent: the defaults. */
  readonly reach?: Pick<ReachOptions, "relay" | "viaRelay" | "upnp">;
  /** For tests: it sends something else than what it learned, and cites everybody. */
  readonly cheat?: Cheat;
}

type Defaulted =
  | "listen"
  | "announce"
  | "bootstrap"
  | "engine"
  | "threads"
  | "dht"
  | "mdns"
  | "localAddresses"
  | "listed";

/** With nothing left open that has a default. */
export type NodeSettings = NodeOptions & Required<Pick<NodeOptions, Defaulted>>;

const DEFAULTS: Omit<Pick<NodeSettings, Defaulted>, "listed"> = {
  listen: ["/ip4/0.0.0.0/tcp/0"],
  announce: [],
  bootstrap: [],
  engine: "auto",
  threads: 0,
  dht: true,
  mdns: true,
  localAddresses: false,
};

export function nodeSettings(options: NodeOptions): NodeSettings {
  const settings = { ...DEFAULTS, ...options };
  return { ...settings, listed: options.listed ?? (settings.dht && !settings.localAddresses) };
}

export interface NodeDeps {
  /** Default: silent. */
  readonly log?: Logger;
  readonly clock?: Clock;
  readonly recorder?: Recorder;
  /** Takes libp2p's counts and the lengths of the rounds' stages; everything else it asks for itself. */
  readonly metrics?: NodeMetrics;
  /** Called with the newest settled state, one at a time; what it answers is the event `evaluation`. */
  readonly evaluate?: Evaluate;
}
