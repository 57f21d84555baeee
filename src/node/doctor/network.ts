/** Port, NAT and peers: of the node that runs on the folder, or of what one would find. */
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { isPrivateIp } from "@libp2p/utils";
import { messageOf } from "../../core/index.ts";
import type { NodeStatus } from "../status.ts";
import { type Symptom, fault, good, poor } from "./finding.ts";

/** `/ip4/0.0.0.0/tcp/4001`, as host and port; undefined for an address of another kind. */
export function endpointOf(address: string): { host: string; port: number } | undefined {
  const match = /^\/(?:ip4|ip6|dns|dns4|dns6)\/([^/]+)\/tcp\/(\d{1,5})(?:\/|$)/.exec(address);
  return match === null ? undefined : { host: match[1] ?? "", port: Number(match[2]) };
}

/** Whether a node could listen there. */
export async function checkPort(address: string): Promise<Symptom> {
  const endpoint = endpointOf(address);
  if (endpoint === undefined)
    return fault("port", `${address} is no TCP address`, "give one such as --listen /ip4/0.0.0.0/tcp/4001");
  const server = createServer();
  try {
    server.listen(endpoint.port, endpoint.host);
    await once(server, "listening");
    return good("port", endpoint.port === 0 ? "any free port can be listened on" : `${address} is free`);
  } catch (error) {
    // Decides: a node could not listen there either.
    const fix = "stop what listens there, or choose another port with --listen";
    return fault("port", `${address}: ${messageOf(error)}`, fix);
  } finally {
    server.close();
  }
}

const FORWARD =
  "forward a port of the router to this machine, start with --listen on it and --announce with the router's outer address";

/** Without a node: whether a router stands between. */
export function checkNat(addresses: readonly string[] = ownAddresses()): Symptom {
  const outer = addresses.filter((address) => isPrivateIp(address) === false);
  if (outer.length > 0) return good("nat", `an address of the open internet: ${outer.join(", ")}`);
  return poor(
    "nat",
    `only private addresses (${addresses.join(", ") || "none"}), so a router stands between`,
    `nothing must be done: a node asks the router for a port and is else reached through relays; faster: ${FORWARD}`,
  );
}

function ownAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((each) => each ?? [])
    .filter(({ internal }) => !internal)
    .map(({ address }) => address);
}

/** What a running node has found about itself. */
export function checkRunning({ addresses, peersCount, pid, state }: NodeStatus): Symptom[] {
  const port = good("port", `process ${pid} listens at ${counted(addresses.length, "address", "addresses")}`);
  const outer = addresses.filter((address) => {
    const { host } = endpointOf(address) ?? {};
    return host !== undefined && isPrivateIp(host) === false && !address.includes("/p2p-circuit");
  });
  const relayed = addresses.filter((address) => address.includes("/p2p-circuit"));
  let nat = poor("nat", "only private addresses: nodes elsewhere cannot dial this one", FORWARD);
  if (relayed.length > 0)
    nat = poor(
      "nat",
      `reached through ${counted(relayed.length, "relay", "relays")}; their lines carry all that goes in`,
      FORWARD,
    );
  if (outer.length > 0) nat = good("nat", `reached directly at ${outer.join(", ")}`);
  const peers =
    peersCount > 0
      ? good("peers", `${counted(peersCount, "peer", "peers")}; ${state}`)
      : fault(
          "peers",
          `none; ${state}`,
          "give the address of a node that runs: --bootstrap, or `starling join ADDRESS`",
        );
  return [port, nat, peers];
}

function counted(count: number, one: string, several: string): string {
  return `${count} ${count === 1 ? one : several}`;
}

const DIAL_MS_MAX = 5000;

/** Whether anybody answers at a run's addresses. */
export async function checkPeers(addresses: readonly string[]): Promise<Symptom> {
  const endpoints = addresses.flatMap((address) => endpointOf(address) ?? []);
  if (endpoints.length === 0)
    return poor("peers", "none were named", "give the run's address: starling doctor --address starling1…");
  const answers = await Promise.all(endpoints.map(answersAt));
  const count = answers.filter(Boolean).length;
  const found = `${count} of ${endpoints.length} addresses answer`;
  const fix =
    "ask for a new address (`starling address` on a node that runs), and look whether a firewall lets connections out";
  return count > 0 ? good("peers", found) : fault("peers", found, fix);
}

async function answersAt(endpoint: { host: string; port: number }): Promise<boolean> {
  const socket = connect(endpoint);
  try {
    await once(socket, "connect", { signal: AbortSignal.timeout(DIAL_MS_MAX) });
    return true;
  } catch {
    // Decides: nobody there, or not in time.
    return false;
  } finally {
    socket.destroy();
  }
}
