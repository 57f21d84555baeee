/** `starling train`: one node, no network. The same text, model and schedule as a run, and a model folder at the end. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import {
  type ModelPresetName,
  createLog,
  initRun,
  presetNames,
  readTokenizerFile,
  trainToFolder,
} from "../../node/index.ts";
import { memoryOf } from "../start-options.ts";
import { UsageError } from "../failure.ts";
import { nats } from "../format.ts";
import { withFileProgress, withStepProgress } from "../progress-bar.ts";
import { onStopSignal } from "../signals.ts";

export interface TrainArguments {
  readonly preset: string;
  readonly text: string;
  readonly out: string;
  readonly steps?: number;
  readonly tokenizer?: string;
  readonly from?: string;
  readonly shape?: ModelPresetName;
  readonly seed?: number;
  readonly threads: number;
  readonly microBatch?: number;
  readonly recompute: boolean;
}

export async function train(given: TrainArguments): Promise<void> {
  const { preset, text, out, steps, tokenizer, from, shape, seed, threads } = given;
  if (!presetNames.includes(preset)) {
    throw new UsageError(`option '--preset': expected one of ${presetNames.join(", ")}, got ${preset}`);
  }
  const log = createLog({ level: "warn" });
  const stopping = new AbortController();
  using _signals = onStopSignal(() => stopping.abort());
  const dataDir = await mkdtemp(join(tmpdir(), "starling-train-"));
  try {
    const options = {
      preset,
      textPath: text,
      ...(seed !== undefined && { seed }),
      ...(shape !== undefined && { shape }),
      ...(tokenizer !== undefined && { tokenizerFile: await readTokenizerFile(tokenizer) }),
      ...(from !== undefined && { fromDir: from }),
    };
    const { manifest } = await withFileProgress("cutting", (onProgress) =>
      initRun({ ...options, onProgress }, { dataDir, log }),
    );
    const trained = await withStepProgress((onStep) =>
      trainToFolder({
        manifest,
        dataDir,
        out: resolve(out),
        threads,
        memory: memoryOf(given),
        signal: stopping.signal,
        log,
        onStep,
        ...(steps !== undefined && { steps }),
      }),
    );
    process.stderr.write(
      `${trained.stepsDone} steps in ${trained.trainingSeconds.toFixed(1)} s; validation loss ` +
        `${nats(trained.validationLossFirstNats)} -> ${nats(trained.validationLossLastNats)} nats per token\n`,
    );
    for (const file of trained.files) process.stdout.write(`${file}\n`);
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}
