/**
 * How fast a body moves, and what it costs its author: `npm run bench:transfer -- --report FILE`.
 *
 *   one connection   disk to disk between two processes, next to a plain libp2p stream with nothing around it
 *   swarm            one author (a process of its own) and 15 receivers (another), all connected with each other
 *   naive push       the author sends the whole body to each receiver on a plain stream
 *
 * Exit code 1 when the author uploads more than 1.5x the body's size.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import Table from "cli-table3";
import { Command as Program } from "commander";
import type { Answer, Command } from "./transfer-peer.ts";

const MIB = 2 ** 20;
/** From: issue, S1. */
const AMPLIFICATION_MAX = 1.5;

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

  constructor() {
    this.#child = fork(fileURLToPath(new URL("transfer-peer.ts", import.meta.url)));
  }

  async ready(): Promise<this> {
    await once(this.#child, "message");
    return this;
  }

  async tell(command: Command): Promise<Answer> {
    this.#child.send(command);
    const [answer] = (await once(this.#child, "message")) as [Answer];
    return answer;
  }

  async close(): Promise<void> {
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

/** One author, and `count` receivers that all want its body at the same time. */
async function transfer(way: Way, count: number): Promise<Figures> {
  const [author, others] = await Promise.all([new Peer().ready(), new Peer().ready()]);
  try {
    const opened = await author.tell({ do: "open", nodes: 1, bodyBytes, bootstrap: [] });
    const { addresses = [], plainAddress = "", cid } = opened;
    await others.tell({ do: "open", nodes: count, bodyBytes: 0, bootstrap: addresses });
    const before = await Promise.all([author, others].map((peer) => peer.tell({ do: "bytesOut" })));
    const command: Command =
      way === "plain"
        ? { do: "plain", address: plainAddress, bytes: bodyBytes, streams: count }
        : { do: "pull", cid: cid as NonNullable<typeof cid>, bytes: bodyBytes };
    const { ms = 0 } = await others.tell(command);
    const after = await Promise.all([author, others].map((peer) => peer.tell({ do: "bytesOut" })));
    const cpuMs = after.reduce((sum, { cpuMs: each }, i) => sum + each - (before[i] as Answer).cpuMs, 0);
    const movedMb = (count * bodyBytes) / 1e6;
    const sentBytes = (after[0]?.bytesOut ?? 0) - (before[0]?.bytesOut ?? 0);
    return {
      mbPerSecond: movedMb / (ms / 1000),
      cpuMsPerMb: cpuMs / movedMb,
      // A plain stream is not counted by the swarm; what it sends is known.
      uploadAmplification: way === "plain" ? count : sentBytes / bodyBytes,
    };
  } finally {
    await Promise.all([author.close(), others.close()]);
  }
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
process.stdout.write(`${table.toString()}\n`);
const share = one.mbPerSecond / plain.mbPerSecond;
process.stdout.write(`one connection: ${(100 * share).toFixed(0)} % of the plain stream\n`);

const report = {
  mbPerSecond: one.mbPerSecond,
  plainStreamMbPerSecond: plain.mbPerSecond,
  uploadAmplification: swarm.uploadAmplification,
  cpuMsPerMb: one.cpuMsPerMb,
  swarm: { receivers, bodyBytes, ...swarm },
  naivePush: { receivers, bodyBytes, ...push },
};
if (options.report !== undefined) await writeFile(options.report, `${JSON.stringify(report, null, 2)}\n`);
if (swarm.uploadAmplification > AMPLIFICATION_MAX) process.exitCode = 1;

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
