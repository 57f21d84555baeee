/**
 * How a node behind a router is reached, by what libp2p has for it: the router is asked for a port (UPnP), peers try whether
 * an address works (AutoNAT), nodes that can be reached carry the connections of those that cannot (circuit relay v2), and a
 * carried connection is replaced by a direct one where one side can be dialled (DCUtR). js-libp2p cannot punch holes: Node
 * has no SO_REUSEPORT for TCP, and its QUIC dials from another socket than it listens on.
 */
import { autoNAT } from "@libp2p/autonat";
import { type CircuitRelayTransportInit, circuitRelayServer } from "@libp2p/circuit-relay-v2";
import { dcutr } from "@libp2p/dcutr";
import type { Libp2p } from "@libp2p/interface";
import { uPnPNAT } from "@libp2p/upnp-nat";
import { isPrivate } from "@libp2p/utils";
import type { Multiaddr } from "@multiformats/multiaddr";

export interface ReachOptions {
  /** Multiaddrs that others shall dial instead of what we listen on. */
  announce?: readonly string[];
  /** Private addresses count as reachable: a LAN or one machine. */
  localAddresses: boolean;
  /** Carry others' connections once we can be reached. Default: yes. */
  relay?: boolean;
  /** Be reached through nodes that do. Default: unless private addresses count or one is announced. */
  viaRelay?: boolean;
  /** Ask the router for a port. Default: unless private addresses count. */
  upnp?: boolean;
}

/**
 * Per relayed connection: From: Hivemind's daemon (4 GiB, 30 minutes). libp2p's default, 128 KiB in 2 minutes, does not carry
 * one delta; when it runs out, the next connection takes over.
 */
const CIRCUIT_BYTES_MAX = 4n * 1024n ** 3n;
const CIRCUIT_MS_MAX = 30 * 60_000;
/** Nodes behind routers that one node carries. Guess: the contributors of one phase. */
const RESERVATIONS_MAX = 64;
/** A request to be carried must come within. The library's 30 s would be a loophole of the flood watch. */
const HOP_MS_MAX = 8_000;

/** How we ask for a place at a relay: again when we are told of it again (relay-search.ts), not once for a connection. */
export const RELAY_TRANSPORT: CircuitRelayTransportInit = {
  discoveryFilter: { add: () => undefined, has: () => false, remove: () => true },
};

/** Whether a node is to be reached through any relay that it meets. */
export function wantsRelay(o: ReachOptions): boolean {
  return o.viaRelay ?? (!o.localAddresses && (o.announce ?? []).length === 0);
}

export function listenOn(o: ReachOptions & { listen: readonly string[] }): string[] {
  return wantsRelay(o) ? [...o.listen, "/p2p-circuit"] : [...o.listen];
}

export interface ReachServices {
  dcutr: ReturnType<typeof dcutr>;
  autonat?: ReturnType<typeof autoNAT>;
  upnp?: ReturnType<typeof uPnPNAT>;
  relay?: (components: RelayComponents) => object;
}

type RelayComponents = Parameters<ReturnType<typeof circuitRelayServer>>[0];

/** Opens once we can be reached: before that it would only mislead those who reserve a place. */
export class Reach {
  readonly services: ReachServices;
  readonly #o: ReachOptions;
  #relay: { start(): Promise<void>; stop(): Promise<void> } | undefined;
  #opening: Promise<void> | undefined;
  #isClosed = false;

  constructor(o: ReachOptions) {
    const upnp = o.upnp ?? !o.localAddresses;
    this.#o = o;
    this.services = {
      dcutr: dcutr(),
      // These find and test public addresses only.
      ...(o.localAddresses ? {} : { autonat: autoNAT() }),
      // A mapped address is believed at once: AutoNAT wants four peers elsewhere, which a young run has not.
      ...(upnp ? { upnp: uPnPNAT({ autoConfirmAddress: true, portMappingDescription: "starling" }) } : {}),
      ...(o.relay === false ? {} : { relay: (components) => this.#makeRelay(components) }),
    };
  }

  /** Once the host has started. */
  async open(libp2p: Libp2p, log: (error: unknown) => void): Promise<void> {
    const look = async (): Promise<void> => {
      const { announce = [], localAddresses } = this.#o;
      const isReachable = announce.length > 0 || localAddresses || libp2p.getMultiaddrs().some(isPublic);
      // Opening and closing change our own peer record, which calls this again.
      if (isReachable && !this.#isClosed) await (this.#opening ??= this.#relay?.start());
    };
    libp2p.addEventListener("self:peer:update", () => void look().catch(log));
    await look();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#relay?.stop();
  }

  /** libp2p starts and stops what has both methods; this one waits for `open`. */
  #makeRelay(components: RelayComponents): object {
    this.#relay = circuitRelayServer({
      hopTimeout: HOP_MS_MAX,
      reservations: {
        maxReservations: RESERVATIONS_MAX,
        defaultDataLimit: CIRCUIT_BYTES_MAX,
        defaultDurationLimit: CIRCUIT_MS_MAX,
      },
    })(components) as unknown as { start(): Promise<void>; stop(): Promise<void> };
    return {};
  }
}

function isPublic(address: Multiaddr): boolean {
  return !isRelayed(address) && !isPrivate(address);
}

/** Whether a connection goes through somebody else's. */
export function isRelayed(address: Multiaddr): boolean {
  return address.toString().includes("/p2p-circuit");
}
