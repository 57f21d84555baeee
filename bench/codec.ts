/**
 * How fast the codec is at 25M parameters: feed back and encode one delta; check 16 and fold them into weights, the
 * work of one round among 17 peers. CPU time of the one thread that does it, medians; the cases take turns, so that a busy machine
 * is busy for all of them. `npm run bench:codec -- --runs 7`
 */
import { availableParallelism, cpus } from "node:os";
import { Command } from "commander";
import Table from "cli-table3";
import {
  type CodecSettings,
  type DeltaReader,
  accumulateResidual,
  encodeDelta,
  openDelta,
} from "../src/codec/index.ts";
import { foldRound } from "../src/consensus/index.ts";
import { SeededRandom, fromFixed } from "../src/core/index.ts";

const PEERS = 16;
const FACTOR = Math.floor(2 ** 20 / PEERS);
const PATTERN = 1_000_003;

const options = new Command("bench:codec")
  .option("--parameters <n>", "elements of the delta", Number, 25_000_000)
  .option("--runs <n>", "runs of each case; the median counts", Number, 5)
  .parse()
  .opts<{ parameters: number; runs: number }>();
const count = options.parameters;
const lengths = [count - (count >> 2) - 513, count >> 2, 513];

interface Case {
  readonly name: string;
  readonly settings: CodecSettings;
  /** Milliseconds of CPU, one per run. */
  readonly feedBackMs: number[];
  readonly encodeMs: number[];
  readonly openMs: number[];
  readonly foldMs: number[];
  bytes: number;
}

/** Nearly normal (sum of four uniforms), repeated: drawing every element would take longer than the codec. */
function fillResidual(residual: Int32Array, seed: string): void {
  const random = new SeededRandom(seed);
  const pattern = Int32Array.from({ length: PATTERN }, () => {
    const unit = random.unit() + random.unit() + random.unit() + random.unit() - 2;
    return Math.round(52_000 * unit);
  });
  for (let at = 0; at < count; at += PATTERN) {
    residual.set(pattern.subarray(0, Math.min(PATTERN, count - at)), at);
  }
}

function cpuMsOf(work: () => void): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}

function open(bytes: Uint8Array, settings: CodecSettings): DeltaReader {
  const verdict = openDelta(bytes, lengths, settings);
  if (verdict.kind !== "accept") throw new Error(verdict.detail);
  return verdict.value;
}

function run(each: Case, residual: Int32Array, weights: Int32Array, seed: number): void {
  const { settings } = each;
  let deltas: Uint8Array[] = [];
  for (let i = 0; i < 2; i++) {
    fillResidual(residual, `${seed}/${i}`);
    for (let j = 0; j < count; j++) end[j] = fromFixed(weights[j]);
    each.feedBackMs.push(cpuMsOf(() => accumulateResidual(residual, weights, end, 0.95)));
    each.encodeMs.push(cpuMsOf(() => deltas.push(encodeDelta(residual, lengths, settings).bytes)));
  }
  deltas = Array.from({ length: PEERS }, (_, i) => deltas[i % 2].slice());
  let readers: DeltaReader[] = [];
  each.openMs.push(cpuMsOf(() => (readers = deltas.map((bytes) => open(bytes, settings)))));
  const terms = readers.map((reader) => ({ reader, factor: FACTOR }));
  each.foldMs.push(cpuMsOf(() => foldRound(weights, terms, 1)));
  each.bytes = deltas[0].length;
}

const cases: Case[] = [
  ["density 1/64, 2 bits", 64, 2],
  ["density 1/16, 4 bits", 256, 4],
  ["dense, 2 bits", 4096, 2],
  ["dense, 4 bits", 4096, 4],
].map(([name, keepPerChunk, valueBits]) => ({
  name: name as string,
  settings: { keepPerChunk, valueBits } as CodecSettings,
  feedBackMs: [],
  encodeMs: [],
  openMs: [],
  foldMs: [],
  bytes: 0,
}));

const residual = new Int32Array(count);
const weights = new Int32Array(count);
const end = new Float32Array(count); // weights after training; they did not move
for (let i = 0; i < options.runs; i++) for (const each of cases) run(each, residual, weights, i);

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1];
const cell = (ms: readonly number[], deltas: number): string => {
  const rate = (4 * count * deltas) / 1e6 / (median(ms) / 1000);
  return `${median(ms).toFixed(0)} ms  ${rate.toFixed(0)} MB/s`;
};
const table = new Table({
  head: ["settings", "bytes", "ratio", "feed back 1", "encode 1", `check ${PEERS}`, `fold ${PEERS}`],
});
for (const { name, bytes, feedBackMs, encodeMs, openMs, foldMs } of cases) {
  const ratio = ((4 * count) / bytes).toFixed(1);
  table.push([
    name,
    bytes,
    ratio,
    cell(feedBackMs, 1),
    cell(encodeMs, 1),
    cell(openMs, PEERS),
    cell(foldMs, PEERS),
  ]);
}
console.log(
  `${count} parameters, ${options.runs} runs, Node ${process.version}, ${availableParallelism()} x ${cpus()[0]?.model ?? "?"}`,
);
console.log(table.toString());
