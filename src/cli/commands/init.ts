/** `starling init`: cuts a text into blocks in the data folder and writes the manifest of a run that learns it. */
import { access, mkdir } from "node:fs/promises";
import { createLog, initRun, presetNames, writeManifestFile } from "../../node/index.ts";
import { UsageError } from "../failure.ts";

export interface InitArguments {
  readonly preset: string;
  readonly text: string;
  readonly out: string;
  readonly data: string;
  readonly name?: string;
  readonly seed?: number;
  readonly startPeers?: number;
  readonly rounds?: number;
}

export async function init(given: InitArguments): Promise<void> {
  const { preset, text, out, data, ...rest } = given;
  if (!presetNames.includes(preset)) {
    throw new UsageError(`option '--preset': expected one of ${presetNames.join(", ")}, got ${preset}`);
  }
  if (!(await exists(text))) {
    throw new UsageError(`option '--text': expected a file or folder that exists, got ${text}`);
  }
  await mkdir(data, { recursive: true });
  const log = createLog({ level: "info" });
  const { run, manifest } = await initRun({ preset, textPath: text, ...rest }, { dataDir: data, log });
  await writeManifestFile(out, manifest);
  process.stderr.write(`wrote ${out}; next: starling start --run ${out} --data ${data}\n`);
  process.stdout.write(`${run}\n`);
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
