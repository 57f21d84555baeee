/** F13: the testnet script itself, small: real daemons as child processes, one of them killed, the report checked. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Report } from "../../scripts/testnet/report.ts";

const TESTNET = fileURLToPath(new URL("../../scripts/testnet.ts", import.meta.url));
const TIMEOUT_MS = 120_000;

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "starling-testnet-test-"));
});
afterAll(async () => rm(dir, { recursive: true, force: true }));

test(
  "F1 F3 F4 F5 F6 F13 three nodes lose the only one they knew, finish on equal roots, and report it",
  { timeout: TIMEOUT_MS },
  async () => {
    const report = join(dir, "report.json");
    const args = ["--preset", "tiny", "--nodes", "3", "--rounds", "20", "--kill-bootstrap", "--baseline"];
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [TESTNET, ...args, "--dir", join(dir, "flock"), "--report", report],
      { timeout: TIMEOUT_MS, env: { ...process.env, NO_COLOR: "1" } },
    );
    for (const part of [
      /identical on all 2 live nodes/,
      /round +\d+ +loss/,
      /the model says:/,
      /one node alone/,
    ]) {
      expect(stdout).toMatch(part);
    }
    const found = JSON.parse(await readFile(report, "utf8")) as Report;
    expect(found.nodesCount).toBe(3);
    expect(found.killed).toHaveLength(1);
    expect(found.stateRoots).toHaveLength(2);
    expect(new Set(found.stateRoots.map(({ round, root }) => `${round} ${root}`)).size).toBe(1);
    expect(found.roundsSettled).toBeGreaterThanOrEqual(10);
    expect(found.validationLossLastNats).toBeLessThan(found.validationLossFirstNats as number);
    expect(found.baselineValidationLossNats).toBeGreaterThan(0);
    expect(found.bytesSentPerNode).toHaveLength(3);
    for (const sent of found.bytesSentPerNode) expect(sent).toBeGreaterThan(0);
    for (const key of [
      "tokensTotal",
      "wallSeconds",
      "trainingSeconds",
      "deltaBytesMean",
      "deltaBytesDense",
    ] as const) {
      expect(found[key], key).toBeGreaterThan(0);
    }
    for (const key of ["pingP99Ms", "eventLoopDelayP99Ms"] as const)
      expect(found[key], key).toBeGreaterThan(0);
    expect(found.deltaBytesMean).toBeLessThan(found.deltaBytesDense);
    for (const file of ["config.json", "model.safetensors"]) {
      expect((await stat(join(dir, "flock", "export", file))).size).toBeGreaterThan(0);
    }
  },
);
