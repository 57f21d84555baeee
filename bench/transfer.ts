/**
 * How fast a body moves, and what it costs its author: `npm run bench:transfer -- --report FILE`.
 *
 *   one connection   disk to disk between two processes, next to a plain libp2p stream with nothing around it
 *   swarm            one author and 15 receivers, a process each, all connected with each other
 *   naive push       the author sends the whole body to each receiver on a plain stream
 *   killed           the swarm again, and the author killed at 30 % of all that has to move, or as soon after it as the
 *                    others together have every block
 *
 * Exit code 1 when the author uploads more than 1.5x the body's size, or a receiver stays without what others have.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import Table from "cli-table3";
import { Command as Program } from "commander";
import type { Cid } from "../src/core/index.ts";
import { NODE_ARGS } from "../scripts/testnet/command.ts";
import type { Answer, Command } from "./transfer-peer.ts";

const MIB = 2 ** 20;
/** From: issue, S1. */
const AMPLIFICATION_MAX = 1.5;
const KILLED_AT = 0.3;
/** Guess: a second's worth. */
const WARM_BYTES = 16 * MIB;

const options = new Program("bench:transfer")
  .option("--report <file>", "where to write the figures as JSON")
  .option("--megabytes <n>", "size of the body in MiB", "100")
  .option("--receivers <n>", "receivers in the swarm", "15")
  .option("--runs <n>", "turns of the one-connection measurements, of which the median counts", "3")
  .parse()
  .opts<{ report?: string; megabytes: string; receivers: string; runs: string }>();
const bodyBytes = Number(options.megabytes) * MIB;
const receivers = Number(options.receivers);

class Peer {
  readonly #child: ChildProcess;
  #asked = 0;

  constructor() {
    this.#child = fork(fileURLToPath(new URL("transfer-peer.ts", import.meta.url)), {
      execArgv: [...NODE_ARGS],
    });
    // One for each question under way.
    this.#child.setMaxListeners(0);
  }

  async ready(): Promise<this> {
    await once(this.#child, "message");
    return this;
  }

  tell(command: Command): Promise<Answer> {
    const id = this.#asked++;
    this.#child.send({ id, command });
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const onMessage = (message: { id: number; answer: Answer }): void => {
      if (message.id !== id) return;
      this.#child.off("message", onMessage);
      resolve(message.answer);
    };
    this.#child.on("message", onMessage);
    const onExit = (): void => reject(new Error("a peer of the bench has ended"));
    this.#child.once("exit", onExit);
    return promise.finally(() => this.#child.off("exit", onExit));
  }

  async kill(): Promise<void> {
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await ended;
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.disconnect();
    await ended;
  }
}

/** Speed in MB/s of 1e6 bytes; `cpuMsPerMb`: of both processes; `uploadAmplification`: the author's bytes by the body's. */
interface Figures {
  readonly mbPerSecond: number;
  readonly cpuMsPerMb: number;
  readonly uploadAmplification: number;
}

type Way = "pull" | "plain";

interface Flock {
  readonly author: Peer;
  readonly receivers: readonly Peer[];
  readonly plainAddress: string;
  readonly cid: Cid;
}

/** A process each, all connected with each other. */
async function withFlock<T>(count: number, work: (flock: Flock) => Promise<T>): Promise<T> {
  const peers = Array.from({ length: 1 + count }, () => new Peer());
  const [author, ...receivers] = peers as [Peer, ...Peer[]];
  try {
    await Promise.all(peers.map((peer) => peer.ready()));
    const opened = await author.tell({ do: "open", nodes: 1, bodyBytes, bootstrap: [] });
    const { addresses = [], plainAddress = "", cid } = opened;
    const bootstrap = [...addresses];
    for (const receiver of receivers) {
      const { addresses: more = [] } = await receiver.tell({ do: "open", nodes: 1, bodyBytes: 0, bootstrap });
      bootstrap.push(...more);
    }
    return await work({ author, receivers, plainAddress, cid: cid as Cid });
  } finally {
    await Promise.all(peers.map((peer) => peer.close()));
  }
}

/** One author, and `count` receivers that all want its body at the same time. */
function transfer(way: Way, count: number): Promise<Figures> {
  return withFlock(count, async ({ author, receivers: others, plainAddress, cid }) => {
    const all = [author, ...others];
    const commandFor = (bytes: number, body: Cid): Command =>
      way === "plain"
        ? { do: "plain", address: plainAddress, bytes, streams: 1 }
        : { do: "pull", cid: body, bytes };
    const tellOthers = (command: Command): Promise<Answer[]> =>
      Promise.all(others.map((peer) => peer.tell(command)));
    // What has just been compiled is slow, either way; nodes run for days.
    const { cid: first } = await author.tell({ do: "store", bytes: WARM_BYTES });
    await tellOthers(commandFor(WARM_BYTES, first as Cid));
    const before = await Promise.all(all.map((peer) => peer.tell({ do: "bytesOut" })));
    const pulled = await tellOthers(commandFor(bodyBytes, cid));
    const ms = Math.max(...pulled.map((each) => each.ms ?? 0));
    const after = await Promise.all(all.map((peer) => peer.tell({ do: "bytesOut" })));
    const cpuMs = after.reduce((sum, { cpuMs: each }, i) => sum + each - (before[i] as Answer).cpuMs, 0);
    const movedMb = (count * bodyBytes) / 1e6;
    const sentBytes = (after[0]?.bytesOut ?? 0) - (before[0]?.bytesOut ?? 0);
    return {
      mbPerSecond: movedMb / (ms / 1000),
      cpuMsPerMb: cpuMs / movedMb,
      // A plain stream is not counted by the swarm; what it sends is known.
      uploadAmplification: way === "plain" ? count : sentBytes / bodyBytes,
    };
  });
}

/** What became of a swarm whose author was killed. */
interface Killed {
  /** Of all blocks that had to move, how many had when it was killed. */
  readonly atShare: number;
  /** Of the body's blocks, those that the receivers together had at the end. */
  readonly togetherShare: number;
  /** Receivers that have all of those. */
  readonly haveThose: number;
}

/** `whenSpread`: not before the receivers together have every block. */
function killed(count: number, o: { whenSpread: boolean }): Promise<Killed> {
  return withFlock(count, async ({ author, receivers: others, cid }) => {
    const blocks = bodyBytes / MIB;
    const held = (): Promise<number[][]> =>
      Promise.all(others.map(async (peer) => (await peer.tell({ do: "held", cid })).held ?? []));
    const pulls = Promise.all(others.map((peer) => peer.tell({ do: "pull", cid, bytes: bodyBytes })));
    let atShare = 0;
    for (let isSpread = false; atShare < KILLED_AT || (o.whenSpread && !isSpread);) {
      const each = await held();
      atShare = each.flat().length / (count * blocks);
      isSpread = new Set(each.flat()).size === blocks;
    }
    await author.kill();
    await pulls;
    const each = await held();
    const together = new Set(each.flat()).size;
    const haveThose = each.filter(({ length }) => length === together).length;
    return { atShare, togetherShare: together / blocks, haveThose };
  });
}

const ones: Figures[] = [];
const plains: Figures[] = [];
for (let run = 0; run < Number(options.runs); run++) {
  plains.push(await transfer("plain", 1));
  ones.push(await transfer("pull", 1));
}
const table = new Table({
  head: ["", "MB/s", "CPU ms/MB", "author uploads"],
  style: { head: [], border: [] },
});
const plain = noted("plain stream, one receiver", medianOf(plains));
const one = noted("pull, one receiver", medianOf(ones));
const swarm = noted(`pull, ${receivers} receivers`, await transfer("pull", receivers));
const push = noted(`naive push, ${receivers} receivers`, await transfer("plain", receivers));
const deaths = [
  await killed(receivers, { whenSpread: false }),
  await killed(receivers, { whenSpread: true }),
];
process.stdout.write(`${table.toString()}\n`);
for (const { atShare, togetherShare, haveThose } of deaths)
  process.stdout.write(
    `author killed at ${percent(atShare)}: ${haveThose} of ${receivers} receivers have all of the ` +
      `${percent(togetherShare)} of the blocks that they have together\n`,
  );
const share = one.mbPerSecond / plain.mbPerSecond;
process.stdout.write(`one connection: ${percent(share)} of the plain stream\n`);

const report = {
  mbPerSecond: one.mbPerSecond,
  plainStreamMbPerSecond: plain.mbPerSecond,
  uploadAmplification: swarm.uploadAmplification,
  cpuMsPerMb: one.cpuMsPerMb,
  swarm: { receivers, bodyBytes, ...swarm },
  naivePush: { receivers, bodyBytes, ...push },
  killed: deaths,
};
if (options.report !== undefined) await writeFile(options.report, `${JSON.stringify(report, null, 2)}\n`);
if (swarm.uploadAmplification > AMPLIFICATION_MAX) process.exitCode = 1;
if (deaths.some(({ haveThose }) => haveThose < receivers)) process.exitCode = 1;

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}

function medianOf(runs: readonly Figures[]): Figures {
  const sorted = runs.toSorted((a, b) => a.mbPerSecond - b.mbPerSecond);
  return sorted[Math.floor(sorted.length / 2)] as Figures;
}

/** Into the table, and out at once: the whole takes minutes. */
function noted(name: string, figures: Figures): Figures {
  const { mbPerSecond, cpuMsPerMb, uploadAmplification } = figures;
  const row = [name, mbPerSecond.toFixed(1), cpuMsPerMb.toFixed(1), `${uploadAmplification.toFixed(2)}x`];
  table.push(row);
  process.stderr.write(`${row.join("  ")}\n`);
  return figures;
}
