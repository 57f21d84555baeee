/**
 * A network of several hosts on this machine: a Linux network namespace each, one bridge between them in a namespace of
 * its own, so that nothing of it touches the machine's own network. Needs root, `ip`, `tc` and `nft`.
 */
import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { lacks } from "./lacking.ts";

const SUBNET = "10.77.0";
const WIRE = fileURLToPath(new URL("./wire.py", import.meta.url));

export const lacksNamespaces: boolean = lacks(
  process.getuid?.() === 0 &&
    spawnSync("nft", ["--version"]).status === 0 &&
    spawnSync("unshare", ["-n", "true"]).status === 0,
  "root, ip or nft (networks of several hosts)",
);

let networks = 0;

export class Network implements AsyncDisposable {
  readonly #prefix = `starling-${process.pid}-${networks++}`;
  readonly #names: string[] = [];
  /** Free on every host. */
  readonly port: number = 4001;
  #wire: ChildProcess | undefined;

  /** Hosts that all reach each other; the i-th has the address `ip(i)`. `oneWayMs`: a delay between them (wire.py). */
  static async create(hostsCount: number, o: { oneWayMs?: number } = {}): Promise<Network> {
    const network = new Network();
    const bridge = network.#name("bridge");
    await network.#add(bridge);
    await sh(`ip -n ${bridge} link add br0 type bridge && ip -n ${bridge} link set br0 up`);
    for (let i = 0; i < hostsCount; i++) {
      const host = network.name(i);
      await network.#add(host);
      await sh(
        `ip -n ${host} link set lo up && ` +
          `ip netns exec ${host} nft add table inet cut && ` +
          `ip netns exec ${host} nft 'add chain inet cut in { type filter hook input priority 0; }' && ` +
          `ip netns exec ${host} nft 'add chain inet cut out { type filter hook output priority 0; }'`,
      );
      if (o.oneWayMs === undefined) await network.#plug(i, bridge);
    }
    if (o.oneWayMs !== undefined) await network.#stretch(hostsCount, o.oneWayMs);
    return network;
  }

  async #plug(host: number, bridge: string): Promise<void> {
    const name = this.name(host);
    await sh(
      `ip link add eth0 netns ${name} type veth peer name port${host} netns ${bridge} && ` +
        `ip -n ${bridge} link set port${host} master br0 up && ` +
        `ip -n ${name} addr add ${this.ip(host)}/24 dev eth0 && ip -n ${name} link set eth0 up`,
    );
  }

  async #stretch(hostsCount: number, oneWayMs: number): Promise<void> {
    const hosts = Array.from({ length: hostsCount }, (_, i) => `${this.name(i)}=${this.ip(i)}`);
    // Before everybody else, or a busy machine would make the line longer.
    const args = ["-n", "-10", "python3", WIRE, String(oneWayMs), ...hosts];
    const wire = spawn("nice", args, { stdio: ["pipe", "pipe", "inherit"] });
    const ended = once(wire, "exit").then(([code]) => {
      throw new Error(`expected wire.py to run, it ended with ${String(code)}`);
    });
    // Also after `create`, when nobody awaits it any more.
    ended.catch(() => undefined);
    await Promise.race([once(wire.stdout, "data"), ended]);
    this.#wire = wire;
  }

  ip(host: number): string {
    return `${SUBNET}.${host + 1}`;
  }

  /** The name of a host's namespace. */
  name(host: number): string {
    return this.#name(`${host}`);
  }

  /** What to put before a command so that it runs on a host. */
  on(host: number): string[] {
    return ["ip", "netns", "exec", this.name(host)];
  }

  /** A shell command on a host; gives what it printed. */
  run(host: number, command: string): Promise<string> {
    return sh(`ip netns exec ${this.name(host)} sh -c '${command}'`);
  }

  /** Nothing passes between these two sets of hosts until `heal`. */
  async cut(some: readonly number[], others: readonly number[]): Promise<void> {
    for (const [here, there] of [
      [some, others],
      [others, some],
    ] as const) {
      const addresses = there.map((host) => this.ip(host)).join(", ");
      for (const host of here) {
        const nft = `ip netns exec ${this.name(host)} nft add rule inet cut`;
        await sh(`${nft} in ip saddr '{ ${addresses} }' drop && ${nft} out ip daddr '{ ${addresses} }' drop`);
      }
    }
  }

  /** A line of so many bits a second, behind a queue as of a home router; down only where there is a bridge. */
  async limit(host: number, o: { upBits: number; downBits?: number; queueMs?: number }): Promise<void> {
    const { queueMs = 400 } = o;
    const limited = (where: string, device: string, bits: number): Promise<string> =>
      sh(
        `tc -n ${where} qdisc replace dev ${device} root tbf rate ${bits}bit burst 32kb latency ${queueMs}ms`,
      );
    await limited(this.name(host), "eth0", o.upBits);
    if (o.downBits !== undefined) await limited(this.#name("bridge"), `port${host}`, o.downBits);
  }

  async heal(): Promise<void> {
    for (const name of this.#names.slice(1))
      await sh(
        `ip netns exec ${name} nft flush chain inet cut in && ip netns exec ${name} nft flush chain inet cut out`,
      );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#wire?.exitCode === null) {
      const ended = once(this.#wire, "exit");
      this.#wire.stdin?.end();
      await ended;
    }
    for (const name of this.#names) await sh(`ip netns del ${name}`);
  }

  #name(suffix: string): string {
    return `${this.#prefix}-${suffix}`;
  }

  async #add(name: string): Promise<void> {
    await sh(`ip netns add ${name}`);
    this.#names.push(name);
  }
}

async function sh(command: string): Promise<string> {
  const { stdout } = await promisify(execFile)("/bin/sh", ["-c", command]);
  return stdout;
}
