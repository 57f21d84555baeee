/** `starling init`: cuts a text into blocks in the data folder and writes the manifest of a run that learns it. */
import { access } from "node:fs/promises";
import { type Cid, type PeerId, messageOf } from "../../core/index.ts";
import {
  type InitOptions,
  createLog,
  initRun,
  planOf,
  planOfPreset,
  presetNames,
  readTokenizerFile,
  writeManifestFile,
  writeNetworkKey,
} from "../../node/index.ts";
import { type InitAnswers, askInit } from "../ask-init.ts";
import { describePlan } from "../describe-plan.ts";
import { describeRun } from "../describe-run.ts";
import { makeDataFolder } from "../data-folder.ts";
import { UsageError } from "../failure.ts";
import { withFileProgress } from "../progress-bar.ts";
import { waitingFor } from "../waiting.ts";

export interface InitArguments extends Pick<
  InitOptions,
  "name" | "seed" | "startPeers" | "rounds" | "source" | "licence" | "shape"
> {
  readonly preset?: string;
  readonly text?: string;
  readonly plan: boolean;
  readonly explain: boolean;
  readonly record: readonly Cid[];
  readonly tokenizer?: string;
  readonly from?: string;
  readonly out: string;
  readonly data: string;
  readonly private: boolean;
  readonly admit: PeerId[];
  readonly founder: (PeerId | "self")[];
}

export async function init(given: InitArguments): Promise<void> {
  if (given.plan) {
    const { preset = "" } = given;
    checkPreset(preset);
    return void process.stdout.write(`${describePlan(planOfPreset(preset))}\n`);
  }
  return make({ ...given, ...(await completed(given)) });
}

/** What is missing is asked for where somebody can answer. */
async function completed(given: InitArguments): Promise<InitAnswers> {
  const { preset, text, record, startPeers } = given;
  if (preset !== undefined) checkPreset(preset);
  const hasData = text !== undefined || record.length > 0;
  if (preset !== undefined && hasData) return { ...given, preset };
  if (process.stdin.isTTY && process.stderr.isTTY) {
    const known = {
      hasData,
      private: given.private,
      ...(preset !== undefined && { preset }),
      ...(text !== undefined && { text }),
      ...(startPeers !== undefined && { startPeers }),
    };
    // What is asked goes beside what scripts read.
    return askInit(known, { input: process.stdin, output: process.stderr });
  }
  if (preset === undefined)
    throw new UsageError(`expected option '--preset <name>', one of ${presetNames.join(", ")}`);
  throw new UsageError(
    "expected option '--text <path>', the text to learn, or '--record <cid>' for data that is in the folder already",
  );
}

function checkPreset(preset: string): void {
  if (presetNames.includes(preset)) return;
  throw new UsageError(`option '--preset': expected one of ${presetNames.join(", ")}, got ${preset}`);
}

async function make(given: Omit<InitArguments, "preset"> & InitAnswers): Promise<void> {
  const { preset, text, record, tokenizer, from, out, data, explain, founder, ...rest } = given;
  const { private: isPrivate } = given;
  if (text !== undefined && !(await exists(text))) {
    throw new UsageError(`option '--text': expected a file or folder that exists, got ${text}`);
  }
  if (tokenizer !== undefined && from !== undefined) {
    throw new UsageError("expected --tokenizer or --from, which brings its own, got both");
  }
  await makeDataFolder(data);
  const log = createLog({ level: "info" });
  const options: InitOptions = {
    ...rest,
    preset,
    founders: founder,
    isPrivate,
    data: record,
    ...(text !== undefined && { textPath: text }),
    ...(tokenizer !== undefined && { tokenizerFile: await readTokenizerFile(tokenizer) }),
    ...(from !== undefined && { fromDir: from }),
  };
  const making = (o: InitOptions): ReturnType<typeof initRun> => initRun(o, { dataDir: data, log });
  const { run, manifest, networkKey } = await (text === undefined
    ? waitingFor("reading what the run names", making(options))
    : withFileProgress("cutting", (onProgress) => making({ ...options, onProgress })));
  await written(out, () => writeManifestFile(out, manifest));
  if (networkKey !== undefined) {
    const keyPath = `${out.replace(/\.json$/, "")}.key`;
    await writeNetworkKey(keyPath, networkKey);
    process.stderr.write(`wrote ${keyPath}: who has it can connect; hand it on in secret\n`);
  }
  if (manifest.founders.length === 0 && manifest.admission === undefined) {
    const { settleDepth } = manifest.phases[0].rule;
    process.stderr.write(
      `no founders: until ${settleDepth} rounds have settled, every key that is there in round 0 has one vote, and keys are free; --founder self gives the first votes to you\n`,
    );
  }
  if (explain || process.stderr.isTTY) process.stderr.write(`${describeRun(manifest)}\n`);
  if (manifest.phases.length > 1) process.stderr.write(`${describePlan(planOf(manifest.phases))}\n`);
  process.stderr.write(`wrote ${out}; next: starling start --run ${out} --data ${data}\n`);
  process.stdout.write(`${run}\n`);
}

/** Translated: which option to look at; what was cut stays in the data folder. */
async function written(out: string, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    throw new UsageError(
      `option '--out': expected a file that can be written at ${out}: ${messageOf(error)}`,
    );
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    // Decides: whatever the reason, it cannot be read; the message names the path.
    return false;
  }
}
