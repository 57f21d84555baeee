/**
 * N5: time to the first token and tokens per second of `starling serve`, over HTTP and as a process of its own, beside
 * Hugging Face transformers with the same weights, prompt, threads and greedy choice, taking turns in one run.
 * `npm run bench:serve -- --python VENV/bin/python --report FILE`. Linux and macOS (turns use SIGSTOP).
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import Table from "cli-table3";
import { Command } from "commander";
import { SeededRandom, systemClock } from "../src/core/index.ts";
import { modelFolderFiles } from "../src/node/model/folder.ts";
import { writeFiles } from "../src/storage/index.ts";
import { type ModelPresetName, initialWeights, modelPresets, parametersCount } from "../src/trainer/index.ts";

/** Either side: the seconds that a prompt and so many tokens take, and the tokens when it tells. */
interface Side {
  write(prompt: readonly number[], tokens: number): Promise<{ seconds: number; tokens?: number[] }>;
  close(): void;
}

interface Row {
  readonly shape: string;
  readonly parameters: number;
  readonly promptTokens: number;
  readonly firstMs: readonly [ours: number, theirs: number | null];
  readonly tokensPerSecond: readonly [ours: number, theirs: number | null];
}

const options = new Command("bench:serve")
  .option("--report <file>", "where to write the rows as JSON")
  .option("--python <file>", "a Python with torch and transformers", "python3")
  .option("--shapes <list>", "which models", "stories-15m,stories-42m,smollm-135m")
  .option("--turns <n>", "turns of each side; the medians count", Number, 5)
  .option("--tokens <n>", "that are written in a turn", Number, 48)
  .option("--prompt <n>", "tokens of the prompt", Number, 64)
  .option("--threads <n>", "threads of each side", Number, availableParallelism())
  .parse()
  .opts<{
    report?: string;
    python: string;
    shapes: string;
    turns: number;
    tokens: number;
    prompt: number;
    threads: number;
  }>();

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const hasTransformers = spawnSync(options.python, ["-c", "import torch, transformers"]).status === 0;
if (!hasTransformers) process.stderr.write(`${options.python} has no transformers: it is NOT measured\n`);

let version = "not measured";
const rows: Row[] = [];
for (const shape of options.shapes.split(",")) rows.push(await measure(shape as ModelPresetName));
process.stdout.write(
  `${options.threads} threads, ${cpus()[0]?.model ?? "?"}; ${version}\n${tableOf(rows)}\n`,
);
if (options.report !== undefined) await writeFile(options.report, `${JSON.stringify(rows, null, 2)}\n`);

async function measure(shape: ModelPresetName): Promise<Row> {
  const model = { ...modelPresets[shape], contextLength: Math.min(1024, modelPresets[shape].contextLength) };
  const folder = await mkdtemp(join(tmpdir(), "starling-serve-"));
  const weights = initialWeights(model, "1");
  await writeFiles(folder, modelFolderFiles({ model, weights, tokenizerFile: null, card: "" }));
  const random = new SeededRandom("prompt");
  // Bytes that are text: what the model says of them does not matter.
  const prompt = Array.from({ length: options.prompt }, () => 97 + random.below(26));
  const ours = await openOurs(folder);
  const theirs = hasTransformers ? openTheirs(folder) : null;
  const firsts: [number[], number[]] = [[], []];
  const wholes: [number[], number[]] = [[], []];
  const sides = [ours, theirs];
  for (let turn = -1; turn < options.turns; turn++) {
    for (const [i, side] of sides.entries()) {
      if (side === null) continue;
      const first = await side.write(prompt, 1);
      const whole = await side.write(prompt, options.tokens);
      // The first turn warms up.
      if (turn < 0) continue;
      firsts[i]?.push(first.seconds);
      wholes[i]?.push(whole.seconds);
    }
  }
  for (const side of sides) side?.close();
  await rm(folder, { recursive: true, force: true });
  const rate = (i: 0 | 1): number => (options.tokens - 1) / (median(wholes[i]) - median(firsts[i]));
  return {
    shape,
    parameters: parametersCount(model),
    promptTokens: prompt.length,
    firstMs: [1000 * median(firsts[0]), theirs && 1000 * median(firsts[1])],
    tokensPerSecond: [rate(0), theirs && rate(1)],
  };
}

/** Stopped between its turns, since threads of both runtimes spin for a while after their work. */
function inTurns(child: ChildProcess, side: Pick<Side, "write">): Side {
  return {
    write: async (prompt, tokens) => {
      child.kill("SIGCONT");
      const written = await side.write(prompt, tokens);
      child.kill("SIGSTOP");
      return written;
    },
    close: () => child.kill("SIGKILL"),
  };
}

async function openOurs(folder: string): Promise<Side> {
  const args = ["serve", "--model", folder, "--name", "model", "--listen", "0", "--priority", "normal"];
  const child = spawn(
    process.execPath,
    [here("../src/cli/main.ts"), ...args, "--threads", String(options.threads), "--log-level", "warn"],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  let url = "";
  for await (const line of createInterface({ input: child.stdout })) {
    url = /^serving (\S+)$/.exec(line)?.[1] ?? "";
    if (url !== "") break;
  }
  return inTurns(child, {
    async write(prompt, tokens) {
      const startedMs = systemClock.nowMs();
      const response = await fetch(`${url}/completions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ model: "model", prompt, max_tokens: tokens, temperature: 0 }),
      });
      const { usage } = (await response.json()) as { usage: { completion_tokens: number } };
      if (usage.completion_tokens !== tokens) throw new Error(`expected ${tokens} tokens, got fewer`);
      return { seconds: (systemClock.nowMs() - startedMs) / 1000 };
    },
  });
}

function openTheirs(folder: string): Side {
  const child = spawn(options.python, [here("torch/generate.py"), folder, String(options.threads)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return inTurns(child, {
    async write(prompt, tokens) {
      child.stdin.write(`${JSON.stringify({ prompt, tokens })}\n`);
      const answer = await answers.next();
      if (answer.done === true) throw new Error(`transformers ended with ${child.exitCode}`);
      const written = JSON.parse(answer.value) as { seconds: number; tokens: number[]; version: string };
      ({ version } = written);
      if (written.tokens.length !== tokens) throw new Error(`expected ${tokens} tokens of transformers`);
      return written;
    },
  });
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] as number;
}

function tableOf(all: readonly Row[]): string {
  const head = ["model", "parameters", "first token, ms", "theirs", "ratio", "tokens/s", "theirs", "ratio"];
  const table = new Table({ head, style: { head: [], border: [], compact: true } });
  const cell = (value: number | null): string => (value === null ? "–" : value.toFixed(1));
  for (const { shape, parameters, firstMs, tokensPerSecond } of all) {
    const ratio = ([ours, theirs]: readonly [number, number | null]): string =>
      theirs === null ? "–" : (ours / theirs).toFixed(2);
    const [first, rate] = [firstMs, tokensPerSecond].map((pair) => [...pair.map(cell), ratio(pair)]);
    table.push([shape, parameters.toLocaleString("en"), ...(first ?? []), ...(rate ?? [])]);
  }
  return table.toString();
}
