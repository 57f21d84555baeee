/** A node's place in the swarm: what it serves from its disk, and the bounds that its user sets on the line. */
import { prometheusMetrics } from "@libp2p/prometheus-metrics";
import type { Clock, ContributionId, Logger, RunId } from "../../core/index.ts";
import type { NodeMetrics } from "../../dashboard/index.ts";
import { type BlockSource, type PresenceSource, type Swarm, createSwarm } from "../../gossip/index.ts";
import type { ServedCheckpoints, Store } from "../../storage/index.ts";
import type { Line } from "./limited-swarm.ts";
import type { NetworkKey } from "../keys/network-key.ts";
import type { NodeSettings } from "../node-options.ts";

export interface NetworkDeps {
  readonly run: RunId;
  readonly networkKey: NetworkKey | undefined;
  readonly store: Store;
  readonly served: ServedCheckpoints;
  readonly line: Line;
  readonly log: Logger;
  readonly clock: Clock;
  readonly metrics: NodeMetrics | undefined;
  /** Undefined: strangers shall not hear of the run. */
  readonly presence: PresenceSource | undefined;
}

/** The swarm, not started yet. */
export async function createNetwork(options: NodeSettings, deps: NetworkDeps): Promise<Swarm> {
  const { listen, announce, bootstrap, dht, mdns, localAddresses, reach } = options;
  const { run, networkKey, store, served, line, log, clock, metrics, presence } = deps;
  const { key: privateKey, datastore, contributions } = store;
  const unlimited = await createSwarm(
    {
      run,
      listen,
      announce,
      bootstrap,
      dht,
      mdns,
      localAddresses,
      ...(networkKey && { networkKey: networkKey.bytes }),
      ...reach,
    },
    {
      privateKey,
      datastore,
      blocks: line.serving(servedBlocks(store, served)),
      headers: {
        since: ({ phase, fromRound, bytesMax }) => contributions.since(phase, fromRound, bytesMax),
        byIds: async (ids) => {
          const found = await Promise.all(ids.map((id) => contributions.get(id as ContributionId)));
          return found.filter((bytes) => bytes !== undefined);
        },
        state: ({ phase, round, root }) =>
          served
            .states()
            .find((state) => state.phase === phase && state.round === round && state.root === root)?.base,
      },
      log,
      clock,
      ...(presence && { presence }),
      ...(metrics && {
        metrics: prometheusMetrics({ registry: metrics.registry, collectDefaultMetrics: false }),
      }),
    },
  );
  return line.fetching(unlimited);
}

/** Blocks of the disk, and of the settled states. */
function servedBlocks({ blocks }: Store, served: ServedCheckpoints): BlockSource {
  return {
    get: async (cid) => (await served.get(cid)) ?? blocks.get(cid),
    has: async (cid) => served.has(cid) || blocks.has(cid),
  };
}
