/**
 * S7: how much of the time nodes on slow lines train. Eight real nodes in network namespaces, 20 Mbit/s up and 100 ms round trip
 * between any two; deltas and folds of 25 million parameters are real, training is a pause of 30 s (test/support/waiting), because no
 * machine trains eight models at once. Encoding, hashing, folding and the disk are not stood in for, and all nodes share this
 * machine's processors: the table says how much of the rest is that. With `--slower K` everything but the processors is K times slower,
 * the training, the lines and the way between them, and what was measured is divided by K: what nodes with K times as much
 * of a processor would take (time dilation, Gupta et al., NSDI 2006). Needs root, `ip`, `tc`, `nft` and Python. `npm run bench:line`.
 */
import { writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import Table from "cli-table3";
import { Command } from "commander";
import type { Snapshot } from "../src/dashboard/index.ts";
import type { Manifest } from "../src/node/index.ts";
import { type ModelConfig, parametersCount } from "../src/trainer/index.ts";
import { Daemons } from "../test/support/daemons.ts";
import { Network } from "../test/support/netns.ts";

const SHARE_MIN = 0.95;
/** As in bench/train, without what it takes to compute it. */
const MODEL: ModelConfig = {
  vocabSize: 256,
  contextLength: 256,
  hiddenSize: 512,
  layersCount: 8,
  headsCount: 8,
  kvHeadsCount: 8,
  intermediateSize: 1376,
  ropeTheta: 10_000,
  normEpsilon: 1e-5,
  tiedHead: true,
};
const STEPS = 30;
/** The first rounds have no settled state, and learn how long rounds are. */
const FIRST_ROUND = 2;
const DASHBOARD = "127.0.0.1:4780";

const given = new Command("bench:line")
  .option("--nodes <number>", "nodes", "8")
  .option("--rounds <number>", "rounds that are counted", "6")
  .option("--seconds <number>", "training of a round", "30")
  .option("--megabits <number>", "a second, up", "20")
  .option("--round-trip <number>", "milliseconds", "100")
  .option("--slower <number>", "how many times slower all but the processors is", "1")
  .option("--keep <number>", "of 4096 values that a delta has: 64 is a density of 1/64", "64")
  .option("--report <file>", "where to write the numbers")
  .parse()
  .opts<
    Record<"nodes" | "rounds" | "seconds" | "megabits" | "roundTrip" | "slower" | "keep", string> & {
      report?: string;
    }
  >();
const nodesCount = Number(given.nodes);
const lastRound = FIRST_ROUND + Number(given.rounds) - 1;
const slower = Number(given.slower);
const trainMs = 1000 * Number(given.seconds) * slower;
const deadlineMs = 120_000 + 4 * trainMs * (lastRound + 2);
const hosts = Array.from({ length: nodesCount }, (_, host) => host);

const change = (manifest: Manifest): Manifest => ({
  ...manifest,
  phases: manifest.phases.map((phase) => ({
    ...phase,
    model: MODEL,
    tokensBudget: 1e12,
    roundMsMax: 10 * trainMs,
    batch: { sequences: 1, stepsPerRound: STEPS, stepsMax: STEPS },
    codec: [{ fromTokens: 0, keepPerChunk: Number(given.keep), valueBits: 2 as const }],
  })),
});

/** Milliseconds of a round, by what the node was doing; `steps` are the pauses themselves. */
interface Parts {
  readonly steps: number;
  readonly encode: number;
  readonly publish: number;
  readonly collect: number;
  readonly fold: number;
}

await using network = await Network.create(nodesCount, { oneWayMs: (slower * Number(given.roundTrip)) / 2 });
const line = { upBits: Math.round((1e6 * Number(given.megabits)) / slower), queueMs: 400 * slower };
for (const host of hosts) await network.limit(host, line);
await using daemons = await Daemons.create(
  network,
  { preset: "flight", startPeers: nodesCount },
  { change, training: { stepMs: trainMs / STEPS } },
);
for (const host of hosts) await daemons.start(host, { args: ["--local", "--dashboard", DASHBOARD] });
/** One after the other: being asked four times a second costs a node a part of what is measured here. */
const allIn = async (round: number): Promise<void> => {
  for (const host of hosts) await daemons.until(host, (s) => s.round >= round, `round ${round}`, deadlineMs);
};
await allIn(FIRST_ROUND);
const cpuBefore = await cpuSeconds();
await allIn(lastRound + 1);
const cpuAfter = await cpuSeconds();

const rounds = (await Promise.all(hosts.map(partsOf))).flat();
const mean = (part: keyof Parts): number =>
  rounds.reduce((sum, parts) => sum + parts[part], 0) / rounds.length / slower;
const parts: Parts = {
  steps: mean("steps"),
  encode: mean("encode"),
  publish: mean("publish"),
  collect: mean("collect"),
  fold: mean("fold"),
};
const totalMs = Object.values(parts).reduce((a: number, b: number) => a + b, 0);
const share = parts.steps / totalMs;
const cpuOfRound = (cpuAfter - cpuBefore) / nodesCount / Number(given.rounds);
const statuses = await Promise.all(
  hosts.map((host) => daemons.until(host, () => true, "an answer", deadlineMs)),
);
const [first] = statuses;

const what: Readonly<Record<keyof Parts, string>> = {
  steps: "training (the pause)",
  encode: "delta: encode, hash, state to disk",
  publish: "publish: header and delta to disk and out",
  collect: "collect: the others' headers and deltas",
  fold: "fold and hash the weights",
};
const table = new Table({ head: ["", "s a round", "share"], style: { head: [], border: [] } });
for (const part of Object.keys(what) as (keyof Parts)[])
  table.push([what[part], seconds(parts[part]), percent(parts[part] / totalMs)]);
table.push(["round", seconds(totalMs), percent(1)]);
process.stdout.write(`${table.toString()}\n`);
process.stdout.write(
  `${rounds.length} rounds of ${nodesCount} nodes, ${parametersCount(MODEL)} parameters, deltas of ${((first?.deltaBytesMean ?? 0) / 1e6).toFixed(2)} MB; ` +
    `${cpuOfRound.toFixed(1)} s of processor time per node and round, ${((slower * availableParallelism()) / nodesCount).toFixed(2)} processors for each\n`,
);
if (given.report !== undefined)
  await writeFile(
    given.report,
    `${JSON.stringify({ ...given, share, totalMs, parts, cpuOfRound, roundsCount: rounds.length }, null, 2)}\n`,
  );
if (share < SHARE_MIN) process.exitCode = 1;

async function partsOf(host: number): Promise<Parts[]> {
  const snapshot = JSON.parse(
    await network.run(
      host,
      `${process.execPath} -e "fetch(\\"http://${DASHBOARD}/api/snapshot\\").then((r) => r.text()).then((t) => process.stdout.write(t))"`,
    ),
  ) as Snapshot;
  const steps = new Map((await daemons.log(host)).map((line) => [line["round"], line["steps"]]));
  return snapshot.rounds
    .filter(({ round }) => round >= FIRST_ROUND && round <= lastRound)
    .map((span) => {
      const paused = (Number(steps.get(span.round) ?? 0) * trainMs) / STEPS;
      return {
        steps: paused,
        encode: span.trainMs - paused,
        publish: span.publishMs,
        collect: span.collectMs,
        fold: span.foldMs + span.waitMs,
      };
    });
}

/** Of all nodes, from their start on. */
async function cpuSeconds(): Promise<number> {
  const pids = await Promise.all(
    hosts.map(async (host) => (await daemons.until(host, () => true, "an answer", deadlineMs)).pid),
  );
  const text = await network.run(0, `ps -o cputimes= -p ${pids.join()}`);
  return text
    .trim()
    .split(/\s+/)
    .reduce((sum, each) => sum + Number(each), 0);
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(2);
}

function percent(part: number): string {
  return `${(100 * part).toFixed(1)} %`;
}
