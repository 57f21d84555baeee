/**
 * The simulator's scenarios at 16 peers: `npm run test:sim` runs every one, `npm test` all but those that take the
 * longest. `npm run simulate` runs the same with more peers.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runScenario } from "../../scripts/simulate/run.ts";
import type { Scenario } from "../../scripts/simulate/scenario.ts";
import { SCENARIOS } from "../../scripts/simulate/scenarios/all.ts";
import { systemClock } from "../../src/core/index.ts";

const SIXTEEN = { peersCount: 16, roundsCount: 28, seed: "1", clock: systemClock };
const SLOWEST = new Set(["racers", "early-publishers", "sybils", "flooders"]);
const isSelected = ({ name }: Scenario): boolean =>
  process.env["STARLING_SIM"] === "all" || !SLOWEST.has(name);
const runnable = SCENARIOS.filter(isSelected);

function scenarioOf(name: string): Scenario {
  const scenario = SCENARIOS.find((one) => one.name === name);
  if (scenario === undefined) throw new Error(`expected a scenario, got ${name}`);
  return scenario;
}

test.each(runnable.map(({ name, about }) => [name, about]))("R5 %s: %s", (name) => {
  expect(runScenario(scenarioOf(name), SIXTEEN).failures).toEqual([]);
});

test("R5 the slowest scenarios are scenarios", () => {
  expect(SCENARIOS.filter(({ name }) => SLOWEST.has(name))).toHaveLength(SLOWEST.size);
});

test("R4 the same seed gives the same transcript, another seed another", () => {
  const hashOf = (name: string, seed: string): string =>
    runScenario(scenarioOf(name), { ...SIXTEEN, roundsCount: 10, peersCount: 8, seed }).transcriptHash;
  for (const name of ["loss", "equivocators", "forkers"]) {
    expect(hashOf(name, "one")).toBe(hashOf(name, "one"));
    expect(hashOf(name, "one")).not.toBe(hashOf(name, "two"));
  }
});

test("R4 npm run simulate writes a report with the fields that were asked for", () => {
  const file = join(mkdtempSync(join(tmpdir(), "starling-simulate-")), "report.json");
  const args = ["--scenario", "honest", "--peers", "4", "--rounds", "12", "--seed", "7", "--report", file];
  const { status, stdout } = simulate(...args);
  expect(status).toBe(0);
  expect(stdout).toContain("holds");
  expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({
    scenario: "honest",
    peersCount: 4,
    roundsCount: 12,
    seed: "7",
    rootsEqual: true,
    stalledRoundsMax: 0,
    honestIncludedShare: 1,
    wallSeconds: expect.any(Number) as number,
    transcriptHash: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
  });
});

test("R4 a check that fails is named, and a stalled flock is not waited for", () => {
  const silent = { ...scenarioOf("honest"), options: () => ({ lossShare: 1 }) };
  const { failures } = runScenario(silent, { ...SIXTEEN, peersCount: 4, roundsCount: 12 });
  expect(failures.join()).toContain("expected it to be done");
  expect(failures.join()).toContain("rounds settled");
});

test("R4 --list names every scenario", () => {
  const { stdout } = simulate("--list");
  for (const { name } of SCENARIOS) expect(stdout).toContain(name);
});

function simulate(...args: string[]): { status: number | null; stdout: string } {
  return spawnSync(process.execPath, ["scripts/simulate.ts", ...args], { encoding: "utf8" });
}
