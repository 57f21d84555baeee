/**
 * T11: whole training steps of ours and of PyTorch (eager and compiled, float32) at three sizes, taking turns in one
 * run, so that a busy machine is busy for all: same threads, batches and weights; the first losses must agree.
 * `npm run bench:train -- --python VENV/bin/python --report FILE`. Linux and macOS (turns use SIGSTOP).
 */
import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Table from "cli-table3";
import { Command } from "commander";
import { SeededRandom, bytesOf, fromFixed } from "../src/core/index.ts";
import {
  initialWeights,
  modelTensors,
  optimizerSchema,
  parametersCount,
  trainingBytes,
} from "../src/trainer/index.ts";
import { type TrainingCase, stepFlops, trainingCases } from "./train/cases.ts";
import { matmulGflops } from "./train/matmul.ts";
import { Side } from "./train/side.ts";

/** Relative; float32 sums in another order. */
const LOSS_TOLERANCE = 1e-3;
const LOSSES_COMPARED = 3;
const BATCHES = 16;
/** Of Node with the runtime and this bench's code, before an engine is there. Measured: 113 to 115 MB. */
const BARE_PROCESS_BYTES = 114e6;

interface TorchResult {
  readonly version: string;
  readonly mode: string;
  readonly tokensPerSecond: number;
  readonly memoryPeakBytes: number;
}

interface Row {
  readonly parametersCount: number;
  readonly tokensPerSecond: number;
  readonly gflops: number;
  /** Of the runtime's speed at a square product of side 1024, timed between the turns. */
  readonly matmulShare: number;
  readonly memoryPeakBytes: number;
  /** What was said before the start. */
  readonly memoryEstimateBytes: number;
  /** The faster of PyTorch's two modes; null without PyTorch. */
  readonly torch: TorchResult | null;
  /** Our tokens per second over PyTorch's. */
  readonly ratio: number | null;
  readonly torchModes: readonly TorchResult[];
}

const options = new Command("bench:train")
  .option("--report <file>", "where to write the rows as JSON")
  .option("--python <file>", "a Python with torch and numpy", "python3")
  .option("--sizes <list>", "which models", trainingCases.map(({ name }) => name).join())
  .option("--turns <n>", "turns of each side", Number, 7)
  .option("--threads <n>", "threads of each side", Number, availableParallelism())
  .parse()
  .opts<{ report?: string; python: string; sizes: string; turns: number; threads: number }>();

const hasTorch = spawnSync(options.python, ["-c", "import torch, numpy"]).status === 0;
if (!hasTorch) process.stderr.write(`${options.python} has no torch: PyTorch is NOT measured\n`);
const optimizer = optimizerSchema.parse({});
const rows: Row[] = [];
const sizes = options.sizes.split(",");
for (const each of trainingCases) if (sizes.includes(each.name)) rows.push(await measure(each));

process.stdout.write(`${options.threads} threads, ${cpus()[0]?.model ?? "?"}\n${tableOf(rows)}\n`);
if (options.report !== undefined) await writeFile(options.report, `${JSON.stringify(rows, null, 2)}\n`);

async function measure(each: TrainingCase): Promise<Row> {
  const folder = await mkdtemp(join(tmpdir(), "starling-train-"));
  await writeCase(folder, each);
  const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
  const threads = String(options.threads);
  const ours = new Side("ours", [process.execPath, here("train/ours.ts"), folder, each.name, threads]);
  const modes = hasTorch ? ["eager", "compile"] : [];
  const torch = modes.map(
    (mode) => new Side(mode, [options.python, here("torch/train.py"), folder, mode, threads]),
  );
  const sides = [ours, ...torch];
  const matmuls: number[] = [];
  for (const side of sides) await side.turn(LOSSES_COMPARED, { isWarmUp: true });
  compareLosses(sides);
  for (let i = 0; i < options.turns; i++) {
    for (const side of sides) await side.turn(1 + each.stepsPerTurn);
    matmuls.push(await matmulGflops(1024, options.threads));
  }
  for (const side of sides) await side.close();
  await rm(folder, { recursive: true });
  return rowOf(each, ours, torch, matmuls);
}

function rowOf(each: TrainingCase, ours: Side, torch: readonly Side[], matmuls: readonly number[]): Row {
  const { model, sequences } = each;
  const tokens = sequences * model.contextLength;
  const tokensPerSecond = (1000 * tokens) / ours.stepMedianMs;
  const gflops = stepFlops(each, parametersCount(model)) / 1e6 / ours.stepMedianMs;
  const matmul = matmuls.toSorted((a, b) => a - b)[matmuls.length >> 1] as number;
  const torchModes = torch
    .map(({ mode, version, stepMedianMs, memoryPeakBytes }) => {
      return { version, mode, tokensPerSecond: (1000 * tokens) / stepMedianMs, memoryPeakBytes };
    })
    .toSorted((a, b) => b.tokensPerSecond - a.tokensPerSecond);
  const best = torchModes[0] ?? null;
  return {
    parametersCount: parametersCount(model),
    tokensPerSecond,
    gflops,
    matmulShare: gflops / matmul,
    memoryPeakBytes: ours.memoryPeakBytes,
    memoryEstimateBytes: BARE_PROCESS_BYTES + trainingBytes(each),
    torch: best,
    ratio: best === null ? null : tokensPerSecond / best.tokensPerSecond,
    torchModes,
  };
}

/** What both sides read: the case as JSON, the weights as float32, some batches of tokens as int32. */
async function writeCase(folder: string, each: TrainingCase): Promise<void> {
  const { model, sequences } = each;
  const about = { model, sequences, optimizer, tensors: modelTensors(model) };
  await writeFile(join(folder, "case.json"), JSON.stringify(about));
  const fixed = initialWeights(model, "bench:train");
  // Not Float32Array.from, which gathers a plain array first: more than the heap holds at 110M.
  const weights = new Float32Array(fixed.length);
  for (let i = 0; i < fixed.length; i++) weights[i] = fromFixed(fixed[i] as number);
  await writeFile(join(folder, "weights.f32"), bytesOf(weights));
  const random = new SeededRandom("bench:train");
  const tokens = Int32Array.from({ length: BATCHES * sequences * (model.contextLength + 1) }, () =>
    random.below(model.vocabSize),
  );
  await writeFile(join(folder, "tokens.i32"), bytesOf(tokens));
}

function compareLosses([ours, ...others]: readonly Side[]): void {
  for (const other of others) {
    ours?.losses.forEach((loss, step) => {
      const theirs = other.losses[step] as number;
      if (Math.abs(loss - theirs) <= LOSS_TOLERANCE * theirs) return;
      throw new Error(
        `step ${step}: expected ${other.mode}'s loss ${theirs}, got ${loss}: not the same model`,
      );
    });
  }
}

function tableOf(found: readonly Row[]): string {
  const table = new Table({
    head: ["parameters", "side", "tokens/s", "GFLOP/s", "of matmul", "peak memory", "estimated", "ratio"],
    style: { head: [], border: [] },
  });
  const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;
  for (const row of found) {
    const ours = [row.tokensPerSecond.toFixed(0), row.gflops.toFixed(0), row.matmulShare.toFixed(3)];
    table.push([
      row.parametersCount,
      "ours",
      ...ours,
      megabytes(row.memoryPeakBytes),
      megabytes(row.memoryEstimateBytes),
      "1",
    ]);
    for (const torch of row.torchModes) {
      const { mode, version, tokensPerSecond, memoryPeakBytes } = torch;
      const ratio = (row.tokensPerSecond / tokensPerSecond).toFixed(3);
      const speed = tokensPerSecond.toFixed(0);
      table.push(["", `torch ${version} ${mode}`, speed, "", "", megabytes(memoryPeakBytes), "", ratio]);
    }
  }
  return table.toString();
}
