/**
 * N5: what serving costs a node that trains beside it, and what training costs the texts: a real node and a real
 * `starling serve` of the same shape on the same processors, both with their default priorities. Windows with and without a client
 * take turns, each as long as one round of the node; the medians count. `npm run bench:serve-beside -- --report FILE`.
 */
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Command } from "commander";
import { STARLING } from "../scripts/testnet/command.ts";
import {
  type Daemon,
  assertRunning,
  dataDirOf,
  killDaemon,
  refresh,
  spawnDaemon,
} from "../scripts/testnet/daemon.ts";
import { mobyDickText } from "../scripts/testnet/text.ts";
import { silentLog, systemClock } from "../src/core/index.ts";
import { initRun, writeManifestFile } from "../src/node/index.ts";
import { modelFolderFiles } from "../src/node/model/folder.ts";
import { writeFiles } from "../src/storage/index.ts";
import { type ModelPresetName, initialWeights, modelPresets, parametersCount } from "../src/trainer/index.ts";

interface Window {
  readonly trainedTokensPerSecond: number;
  /** Null: nobody asked. */
  readonly writtenTokensPerSecond: number | null;
}

const options = new Command("bench:serve-beside")
  .option("--report <file>", "where to write the windows as JSON")
  .option("--shape <name>", "of the model that is trained and served", "flight")
  .option("--windows <n>", "of each kind", Number, 5)
  .option("--round <ms>", "length of a round", Number, 6000)
  .option("--tokens <n>", "that a client asks for at once", Number, 64)
  .parse()
  .opts<{ report?: string; shape: string; windows: number; round: number; tokens: number }>();

const dir = await mkdtemp(join(tmpdir(), "starling-beside-"));
const model = modelPresets[options.shape as ModelPresetName];
const node = await startNode();
const server = await startServer();
try {
  await nextRound(node); // warms up
  const windows: Window[] = [];
  for (let i = 0; i < options.windows; i++) windows.push(await measure(false), await measure(true));
  report(windows);
  if (options.report !== undefined) await writeFile(options.report, `${JSON.stringify(windows, null, 2)}\n`);
} finally {
  server.child.kill("SIGKILL");
  await killDaemon(node);
  await rm(dir, { recursive: true, force: true });
}

/** One whole round of the node, with a client that asks for one text after the other or without. */
async function measure(isServing: boolean): Promise<Window> {
  const client = new AbortController();
  const texts = isServing ? askOnAndOn(client.signal) : undefined;
  await nextRound(node); // a round that began before the client is no measure of it
  const startedMs = systemClock.nowMs();
  const before = texts?.tokens ?? 0;
  const trainedTokensPerSecond = await nextRound(node);
  const seconds = (systemClock.nowMs() - startedMs) / 1000;
  const written = texts && (texts.tokens - before) / seconds;
  client.abort();
  await texts?.ended;
  return { trainedTokensPerSecond, writtenTokensPerSecond: written ?? null };
}

/** The speed of the next round that the node trains, in tokens per second of training. */
async function nextRound(daemon: Daemon): Promise<number> {
  await refresh(daemon);
  const before = daemon.status?.contributionsPublished ?? 0;
  while ((daemon.status?.contributionsPublished ?? 0) <= before) {
    await assertRunning(daemon);
    await systemClock.sleep(50);
    await refresh(daemon);
  }
  return daemon.status?.tokensPerSecond ?? 0;
}

function askOnAndOn(signal: AbortSignal): { readonly tokens: number; readonly ended: Promise<void> } {
  let tokens = 0;
  const ask = async (): Promise<void> => {
    while (!signal.aborted) tokens += await tokensOf(options.tokens);
  };
  const ended = ask();
  return {
    get tokens() {
      return tokens;
    },
    ended,
  };
}

async function tokensOf(count: number): Promise<number> {
  const body = JSON.stringify({ model: "model", prompt: "Call me", max_tokens: count, temperature: 0 });
  const headers = { "content-type": "application/json" };
  const response = await fetch(`${server.url}/completions`, { method: "POST", headers, body });
  const { usage } = (await response.json()) as { usage: { completion_tokens: number } };
  return usage.completion_tokens;
}

/** Alone, with rounds that end by time. */
async function startNode(): Promise<Daemon> {
  const textPath = join(dir, "book.txt");
  await writeFile(textPath, mobyDickText());
  const shape = options.shape as ModelPresetName;
  const { manifest } = await initRun(
    { preset: "flight", shape, textPath, startPeers: 1, rounds: 1 },
    { dataDir: dataDirOf(dir, "node"), log: silentLog },
  );
  const [phase] = manifest.phases;
  const batch = { ...phase!.batch, stepsPerRound: 10_000, stepsMax: 10_000 };
  const run = join(dir, "run.json");
  await writeManifestFile(run, {
    ...manifest,
    phases: [{ ...phase!, batch, roundMsMax: options.round, tokensBudget: 1e12 }],
  });
  const args = ["--run", run, "--listen", "/ip4/127.0.0.1/tcp/0", "--no-mdns", "--no-dht", "--engine", "cpu"];
  return spawnDaemon({ name: "node", dir, args });
}

async function startServer(): Promise<{ url: string; child: ReturnType<typeof spawn> }> {
  const folder = join(dir, "model");
  const weights = initialWeights(model, "1");
  await writeFiles(folder, modelFolderFiles({ model, weights, tokenizerFile: null, card: "" }));
  const args = ["serve", "--model", folder, "--name", "model", "--listen", "0", "--log-level", "warn"];
  const child = spawn(process.execPath, [STARLING, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /^serving (\S+)$/.exec(line)?.[1];
    if (url !== undefined) return { url, child };
  }
  throw new Error("expected a server, but it ended");
}

function report(windows: readonly Window[]): void {
  const alone = windows.filter(({ writtenTokensPerSecond: rate }) => rate === null);
  const beside = windows.filter(({ writtenTokensPerSecond: rate }) => rate !== null);
  const trained = (of: readonly Window[]): number => median(of.map((each) => each.trainedTokensPerSecond));
  const written = median(beside.map((each) => each.writtenTokensPerSecond ?? 0));
  process.stdout.write(
    `${options.shape}, ${parametersCount(model).toLocaleString("en")} parameters, ${availableParallelism()} processors, ${cpus()[0]?.model ?? "?"}\n` +
      `training: ${trained(alone).toFixed(0)} tokens/s alone, ${trained(beside).toFixed(0)} while a client is served, ` +
      `ratio ${(trained(beside) / trained(alone)).toFixed(3)}; ${written.toFixed(1)} tokens/s written meanwhile; ` +
      `${options.windows} windows of each kind in turn, medians\n`,
  );
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] as number;
}
