/**
 * How deep history is agreed on, and how much honest work is included: `npm run bench:agreement`
 * (`-- churn`: only the cases with this in their names). Agreement at depth d:
 * the largest share of the honest peers that hold the same S(R-d) when they enter round R; the mean over rounds and
 * seeds, and the worst round.
 */
import Table from "cli-table3";
import { Flock, type FlockOptions } from "../scripts/simulate/flock.ts";
import { SCENARIOS } from "../scripts/simulate/scenarios/all.ts";
import { reportOf } from "../scripts/simulate/report.ts";
import { type View, settledRoundAt } from "../src/consensus/index.ts";

const DEPTHS = [2, 3, 4, 8, 12];
const SEEDS = [1, 2, 3];
const ROUNDS = 40;
const PEERS = 16;
/** Nothing settles before the deepest depth that is looked at. */
const rule = { settleDepth: 16 };

interface Case {
  readonly name: string;
  readonly scenario: string;
  readonly change?: Partial<FlockOptions>;
}

const CASES: readonly Case[] = [
  { name: "honest", scenario: "honest" },
  { name: "a twentieth lost", scenario: "honest", change: { lossShare: 0.05 } },
  { name: "a fifth lost", scenario: "honest", change: { lossShare: 0.2 } },
  { name: "half lost", scenario: "honest", change: { lossShare: 0.5 } },
  { name: "one heard by a fixed half", scenario: "fixed-half" },
  { name: "speeds of 1 to 1/4", scenario: "honest", change: { slowness: (i) => 1 + (i % 4) } },
  { name: "churn", scenario: "churn" },
  ...["withholders", "adapting-withholders", "equivocators", "tilters", "body-withholders"].flatMap(
    (scenario) => [
      { name: `a third ${scenario}, a twentieth lost`, scenario, change: { lossShare: 0.05 } },
      {
        name: `a third ${scenario}, unequal speeds, a fifth lost`,
        scenario,
        change: { lossShare: 0.2, slowness: (i: number) => 1 + (i % 4) },
      },
    ],
  ),
];

/** Shares of the largest group, by depth, one for each round. */
class Agreement {
  readonly #groups = new Map<string, Map<string, number>>();

  take(view: View): void {
    for (const depth of DEPTHS) {
      if (view.round < depth || settledRoundAt(view.round, view.context.rule) > view.round - depth) continue;
      const groups = this.#groups.get(`${depth}/${view.round}`) ?? new Map<string, number>();
      const held = view
        .included(view.round - depth)
        .map(({ id }) => id)
        .join();
      this.#groups.set(`${depth}/${view.round}`, groups.set(held, (groups.get(held) ?? 0) + 1));
    }
  }

  shares(depth: number): number[] {
    return [...this.#groups].flatMap(([key, groups]) => {
      if (!key.startsWith(`${depth}/`)) return [];
      const counts = [...groups.values()];
      return [Math.max(...counts) / counts.reduce((a, b) => a + b, 0)];
    });
  }
}

const table = new Table({
  head: ["case", ...DEPTHS.map((d) => `d=${d}`), "included", "roots"],
  style: { head: [], border: [] },
});
const wanted = CASES.filter(({ name }) => name.includes(process.argv[2] ?? ""));
for (const { name, scenario: scenarioName, change } of wanted) {
  const scenario = SCENARIOS.find((one) => one.name === scenarioName);
  if (scenario === undefined) throw new Error(`expected a scenario, got ${scenarioName}`);
  const agreements = SEEDS.map(() => new Agreement());
  const reports = SEEDS.map((seed, i) => {
    const flock = new Flock({
      nodesCount: PEERS,
      ...scenario.options(PEERS),
      ...change,
      rule,
      seed: `${name}/${seed}`,
      onRound: (node, view) => {
        if (node.strategy === undefined) agreements[i].take(view);
      },
    });
    scenario.play?.(flock);
    flock.untilRound(ROUNDS);
    return reportOf({ scenario, flock, roundsCount: ROUNDS, seed: String(seed), wallSeconds: 0 });
  });
  const cells = DEPTHS.map((depth) => {
    const shares = agreements.flatMap((agreement) => agreement.shares(depth));
    const mean = shares.reduce((a, b) => a + b, 0) / shares.length;
    return `${mean.toFixed(2)} (${Math.min(...shares).toFixed(2)})`;
  });
  const included = reports.reduce((sum, r) => sum + r.honestIncludedShare, 0) / reports.length;
  table.push([name, ...cells, included.toFixed(3), reports.every((r) => r.rootsEqual) ? "equal" : "DIFFER"]);
}
process.stdout.write(`${table.toString()}\n`);
