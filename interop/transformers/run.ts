/**
 * Does Hugging Face transformers read what we export? Makes models, and has a Python that has torch and transformers check
 * them: the one that TRANSFORMERS_PYTHON names, or python3. `npm run test:transformers`
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = mkdtempSync(join(tmpdir(), "starling-transformers-"));
const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const python = process.env["TRANSFORMERS_PYTHON"] ?? "python3";
try {
  run(process.execPath, [here("make-cases.ts"), folder]);
  run(python, [here("check.py"), folder]);
} finally {
  rmSync(folder, { recursive: true });
}

function run(command: string, args: readonly string[]): void {
  // Nothing is fetched: what is checked is on this disk.
  const env = { ...process.env, HF_HUB_OFFLINE: "1", HF_HUB_DISABLE_PROGRESS_BARS: "1" };
  const { status, error } = spawnSync(command, args, { stdio: "inherit", env });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${command} ${args[0]} ended with ${status}`);
}
