/**
 * A host that belongs to no run and serves nobody: it dials the nodes that it was given, and looks for runs from there
 * (`starling runs` on a machine without a node). It has a key of its own, which nobody sees again.
 */
import { noise } from "@chainsafe/libp2p-noise";
import { generateKeyPair } from "@libp2p/crypto/keys";
import { circuitRelayTransport } from "@libp2p/circuit-relay-v2";
import { type Identify, identify } from "@libp2p/identify";
import { type Ping, ping } from "@libp2p/ping";
import { tcp } from "@libp2p/tcp";
import { yamux } from "@libp2p/yamux";
import { multiaddr } from "@multiformats/multiaddr";
import { createLibp2p } from "libp2p";
import { type Clock, type Logger, type Service, messageOf } from "../core/index.ts";
import { BlocksProtocol } from "./blocks-protocol.ts";
import { Door } from "./door.ts";
import { type Lookout, createLookout } from "./lookout.ts";
import { PresenceProtocol } from "./presence-protocol.ts";
import { type RendezvousDht, rendezvousDht } from "./rendezvous.ts";
import { checkBootstrap } from "./bootstrap.ts";
import { Standing } from "./standing.ts";
import { Traffic } from "./traffic.ts";

/** One of the given nodes; most that do not answer are gone. Guess. */
const DIAL_MS_MAX = 8_000;

export interface ScoutOptions {
  /** Multiaddrs with `/p2p/<peer id>`, any of which may be dead. */
  readonly bootstrap: readonly string[];
  /** Follow private and loopback addresses too: runs on one machine or one LAN. */
  readonly localAddresses: boolean;
}

export type Scout = Service & Lookout;

/** Not yet started. Throws `BOOTSTRAP_INVALID`. */
export async function createScout(
  { bootstrap, localAddresses }: ScoutOptions,
  deps: { clock: Clock; log: Logger },
): Promise<Scout> {
  bootstrap.forEach(checkBootstrap);
  const { clock } = deps;
  const log = deps.log.child("gossip");
  const traffic = new Traffic();
  const standing = new Standing({ clock, onBan: (peer) => log.debug("peer banned", { peer }) });
  const door = new Door({ standing, traffic });
  const libp2p = await createLibp2p<{ identify: Identify; ping: Ping; rendezvous: RendezvousDht }>({
    start: false,
    privateKey: await generateKeyPair("Ed25519"),
    addresses: { listen: [] },
    transports: [tcp(), circuitRelayTransport()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: door.gater(),
    services: {
      identify: identify(),
      ping: ping(),
      rendezvous: rendezvousDht({ localAddresses, asksOnly: true }),
    },
  });
  const exchange = { libp2p, standing, traffic, clock, log };
  // Neither is ever started: a scout only asks.
  const presence = new PresenceProtocol({ ...exchange, source: async () => undefined });
  const blocks = new BlocksProtocol({
    ...exchange,
    source: { get: async () => undefined, has: async () => false },
    providers: async () => [],
  });
  const { dht } = libp2p.services.rendezvous;
  return {
    name: "scout",
    ...createLookout({ libp2p, dht, presence, blocks, named: bootstrap, log }),
    start: async () => {
      await libp2p.start();
      const dial = async (address: string): Promise<void> => {
        try {
          await libp2p.dial(multiaddr(address), { signal: AbortSignal.timeout(DIAL_MS_MAX) });
        } catch (error) {
          // A hint: the others may live.
          log.debug("dial failed", { address, error: messageOf(error) });
        }
      };
      await Promise.all(bootstrap.map(dial));
    },
    stop: async () => libp2p.stop(),
  };
}
