/** Runs the second implementation, where Python is; on CI it must be. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { lacks } from "../support/lacking.ts";

const command = process.platform === "win32" ? "python" : "python3";
const folder = fileURLToPath(new URL("../../interop/python/", import.meta.url));

export const lacksPython: boolean = lacks(spawnSync(command, ["--version"]).status === 0, command);

/** What a script of interop/python prints, line by line. */
export function python(
  script: string,
  o: { args?: readonly string[]; input?: string },
): { status: number | null; lines: string[] } {
  const { status, stdout, stderr } = spawnSync(command, ["-B", `${folder}${script}`, ...(o.args ?? [])], {
    encoding: "utf8",
    env: { ...process.env, PYTHONUTF8: "1" },
    input: o.input ?? "",
    maxBuffer: 2 ** 24,
  });
  expect(stderr).toBe("");
  return { status, lines: stdout.trimEnd().split(/\r?\n/) };
}
