/** The package as npm would publish it, installed in an empty folder by the documented line. */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

export interface Packed {
  readonly filename: string;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
}

export interface Installed {
  readonly dir: string;
  readonly packed: Packed;
  remove(): Promise<void>;
}

/** `others`: what is installed beside it. */
export async function installPackage(...others: string[]): Promise<Installed> {
  const run = promisify(execFile);
  const dir = await mkdtemp(join(tmpdir(), "pack-"));
  const { stdout } = await run("npm", ["pack", "--json", "--pack-destination", dir], { cwd: ROOT });
  // The build's own lines come first.
  const [packed] = JSON.parse(stdout.slice(stdout.search(/^\[/m))) as [Packed];
  await writeFile(join(dir, "package.json"), '{ "private": true }\n');
  const install = ["install", "--no-audit", "--no-fund", join(dir, packed.filename), ...others];
  await run("npm", install, { cwd: dir, env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: "skip" } });
  return { dir, packed, remove: () => rm(dir, { recursive: true, force: true }) };
}
