/**
 * P4: the phase boundary with the node's own state machines in virtual time. `npm run test:sim` runs every climb, `npm test`
 * two of them; `npm run simulate:climb -- --peers 256` takes hundreds of peers.
 */
import { expect, test } from "vitest";
import { CLIMBS, runClimb } from "../../scripts/simulate/climb/climbs.ts";

const ALWAYS = new Set(["restarts", "parted"]);
const chosen = CLIMBS.filter(({ name }) => process.env["STARLING_SIM"] === "all" || ALWAYS.has(name));

test.each(chosen.map((climb) => [climb.name, climb.about, climb] as const))("P4 %s: %s", (_, __, climb) => {
  expect(runClimb(climb, { nodesCount: 8, seed: "1" }).failures).toEqual([]);
});

test("P4 the climbs that always run are climbs", () => {
  expect(CLIMBS.filter(({ name }) => ALWAYS.has(name))).toHaveLength(ALWAYS.size);
});

test("R4 P4 one seed is one climb", () => {
  const [climb] = CLIMBS;
  const run = (seed: string): unknown => climb && runClimb(climb, { nodesCount: 4, seed });
  expect(run("one")).toEqual(run("one"));
});
