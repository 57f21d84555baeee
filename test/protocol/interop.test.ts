/** The second implementation, written from docs/protocol.md alone, agrees with every vector, and would say if it did not. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { lacksPython, python } from "./python.ts";

const vectors = fileURLToPath(new URL("../vectors", import.meta.url));
const check = (folder: string): ReturnType<typeof python> => python("check_vectors.py", { args: [folder] });

test.skipIf(lacksPython)("R7: Python agrees with every vector", () => {
  const { status, lines } = check(vectors);
  expect(lines.filter((line) => !line.startsWith("ok "))).toEqual(["all vectors match"]);
  expect(lines.length).toBeGreaterThan(90);
  expect(status).toBe(0);
});

test.skipIf(lacksPython)("R7: and says so when one is another, or when a file is gone", () => {
  const folder = mkdtempSync(join(tmpdir(), "vectors-"));
  try {
    const lots = JSON.parse(readFileSync(join(vectors, "protocol/lot.json"), "utf8")) as { winner: string }[];
    lots[4].winner = "nobody";
    mkdirSync(join(folder, "protocol"));
    writeFileSync(join(folder, "protocol/lot.json"), JSON.stringify(lots));
    const { status, lines } = check(folder);
    const failed = lines.filter((line) => line.startsWith("FAIL"));
    expect(failed).toContain("FAIL protocol/fold.json: no such file");
    expect(failed.filter((line) => !line.endsWith("no such file"))).toEqual([
      expect.stringMatching(/^FAIL protocol\/lot\.json 4: AssertionError: winner: expected nobody/),
    ]);
    expect(status).toBe(1);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
