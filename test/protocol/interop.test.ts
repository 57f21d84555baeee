/** The second implementation, written from docs/protocol.md alone, agrees with every vector, and would say if it did not. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const python = process.platform === "win32" ? "python" : "python3";
const hasPython = spawnSync(python, ["--version"]).status === 0;

if (!hasPython) {
  const message = `${python} is not here: the vectors are NOT checked by the second implementation`;
  if (process.env["CI"] === "true") throw new Error(message);
  process.stderr.write(`\n${message}\n\n`);
}

function check(vectors: string): { status: number | null; lines: string[] } {
  const { status, stdout, stderr } = spawnSync(
    python,
    ["-B", join(root, "interop/python/check_vectors.py"), vectors],
    { encoding: "utf8", env: { ...process.env, PYTHONUTF8: "1" } },
  );
  expect(stderr).toBe("");
  return { status, lines: stdout.trimEnd().split(/\r?\n/) };
}

test.skipIf(!hasPython)("R7: Python agrees with every vector", () => {
  const { status, lines } = check(join(root, "test/vectors"));
  expect(lines.filter((line) => !line.startsWith("ok "))).toEqual(["all vectors match"]);
  expect(lines.length).toBeGreaterThan(90);
  expect(status).toBe(0);
});

test.skipIf(!hasPython)("R7: and says so when one is another", () => {
  const folder = mkdtempSync(join(tmpdir(), "vectors-"));
  try {
    cpSync(join(root, "test/vectors"), folder, { recursive: true });
    const path = join(folder, "protocol/lot.json");
    const lots = JSON.parse(readFileSync(path, "utf8")) as { winner: string }[];
    lots[4].winner = lots[3].winner === lots[4].winner ? "nobody" : lots[3].winner;
    writeFileSync(path, JSON.stringify(lots));
    rmSync(join(folder, "protocol/batch.json"));
    const { status, lines } = check(folder);
    expect(lines.filter((line) => line.startsWith("FAIL"))).toEqual([
      "FAIL protocol/batch.json: no such file",
      expect.stringMatching(/^FAIL protocol\/lot\.json 4: AssertionError: winner/),
    ]);
    expect(status).toBe(1);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
