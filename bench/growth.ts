/**
 * P2: tokens to the same loss, of a model that grew and of one trained from scratch. A smaller rung of flight-school is
 * trained, grown by each rule, and trained on for several budgets, each with a whole schedule of its own; where the
 * budget's last loss crosses that of scratch at full budget, the tokens are read off (on straight lines between budgets).
 * Compute counts 6 x parameters x tokens, the smaller model's included. `npm run bench:growth -- --seeds 4,5,6`
 */
import { writeFile } from "node:fs/promises";
import { Command } from "commander";
import Table from "cli-table3";
import { fromFixed, toFixed } from "../src/core/index.ts";
import { presetOf } from "../src/node/presets/presets.ts";
import type { Rung } from "../src/node/presets/preset.ts";
import {
  type GrowthRule,
  assignedBatch,
  createEngine,
  growWeights,
  heldOutBatches,
  initialWeights,
  learningRate,
  parametersCount,
} from "../src/trainer/index.ts";
import { mobyDick } from "./book.ts";

const HELD_OUT_BATCHES = 64;
/** Budgets of what grew, as shares of what scratch has. */
const SHARES = [0.25, 0.5, 0.75];
const DEPTHS: readonly GrowthRule["depth"][] = ["identity", "stack"];

interface Row {
  readonly seed: number;
  readonly rule: string;
  /** Before the first step. */
  readonly startNats: number;
  /** At the end of each budget. */
  readonly nats: readonly number[];
  /** Of the large model, to the loss that scratch ends with, over scratch's; null: not within the budgets. */
  readonly tokensShare: number | null;
  /** The same with the smaller model's tokens, and with its arithmetic. */
  readonly allTokensShare: number | null;
  readonly computeShare: number | null;
}

const options = new Command("bench:growth")
  .option("--from <phase>", "rung of flight-school that is trained first", Number, 1)
  .option("--to <phase>", "rung that it grows into", Number, 3)
  .option("--small-steps <n>", "steps of the smaller model", Number, 1000)
  .option("--steps <n>", "steps of the larger one from scratch", Number, 1500)
  .option("--seeds <list>", "seeds, with commas between", "4,5,6")
  .option("--report <file>", "where to write the rows as JSON")
  .parse()
  .opts<{ from: number; to: number; smallSteps: number; steps: number; seeds: string; report?: string }>();

const book = mobyDick();
const { rungs } = presetOf("flight-school");
const [small, large] = [phaseAt(options.from), phaseAt(options.to)];
const parameters = { small: parametersCount(small.model), large: parametersCount(large.model) };

const rows: Row[] = [];
for (const seed of options.seeds.split(",").map(Number)) {
  const report = (row: Row): void => {
    rows.push(row);
    process.stderr.write(`${JSON.stringify(row)}\n`);
  };
  const below = await trained(small, initialWeights(small.model, `${seed}`), {
    seed,
    steps: options.smallSteps,
  });
  const scratch = await trained(large, initialWeights(large.model, `${seed}`), {
    seed,
    steps: options.steps,
  });
  const { startNats: fresh, lastNats: target } = scratch;
  report({ seed, rule: "scratch", startNats: fresh, nats: [target], ...sharesWith(1, 0) });
  for (const depth of DEPTHS) {
    const growth = {
      from: small.model,
      to: large.model,
      rule: { depth },
      seed: `${seed}/phase/${options.to}`,
    };
    const grown = growWeights(below.weights, growth);
    const nats: number[] = [];
    let startNats = Number.NaN;
    for (const share of SHARES) {
      const ended = await trained(large, grown, {
        seed: seed + 1000,
        steps: Math.round(share * options.steps),
      });
      startNats = ended.startNats;
      nats.push(ended.lastNats);
    }
    report({ seed, rule: depth, startNats, nats, ...sharesWith(shareAt(nats, target), options.smallSteps) });
  }
}
printTable();
if (options.report !== undefined) await writeFile(options.report, `${JSON.stringify(rows, null, 2)}\n`);

function phaseAt(index: number): Rung["phase"] {
  const rung = rungs[index];
  if (rung === undefined) throw new Error(`expected a phase below ${rungs.length}, got ${index}`);
  return rung.phase;
}

/** A whole schedule from warm-up to its floor; validation loss before and after. */
async function trained(
  { model, optimizer, batch }: Rung["phase"],
  weights: Int32Array,
  { seed, steps }: { seed: number; steps: number },
): Promise<{ startNats: number; lastNats: number; weights: Int32Array }> {
  const { sequences } = batch;
  const { contextLength } = model;
  const engine = await createEngine({ engine: "cpu", model, optimizer, sequences, threads: 1 });
  engine.state.weights.set(Float32Array.from(weights, fromFixed));
  await engine.load();
  const batches = await heldOutBatches(book, { sequences, contextLength, batchesMax: HELD_OUT_BATCHES });
  const measure = async (): Promise<number> => {
    let sum = 0;
    for (const tokens of batches) sum += await engine.evaluate(tokens);
    return sum / batches.length;
  };
  const startNats = await measure();
  for (let step = 0; step < steps; step++) {
    const tokens = assignedBatch(book.tokens, { seed: `growth/${seed}`, step, sequences, contextLength });
    await engine.step(tokens, learningRate(optimizer, step, steps));
  }
  const lastNats = await measure();
  await engine.sync();
  const after = Int32Array.from(engine.state.weights, toFixed);
  await engine.close();
  return { startNats, lastNats, weights: after };
}

/** The share of scratch's tokens at which the line through the budgets' losses reaches `target`. */
function shareAt(nats: readonly number[], target: number): number | null {
  const reached = nats.findIndex((loss) => loss <= target);
  if (reached < 0) return null;
  const [to, after] = [SHARES[reached] as number, nats[reached] as number];
  if (reached === 0) return to; // Perhaps earlier; nothing was measured there.
  const [from, before] = [SHARES[reached - 1] as number, nats[reached - 1] as number];
  return from + ((before - target) / (before - after)) * (to - from);
}

/** Both models see as many tokens in a step. */
function sharesWith(
  tokensShare: number | null,
  smallSteps: number,
): Pick<Row, "tokensShare" | "allTokensShare" | "computeShare"> {
  if (tokensShare === null) return { tokensShare, allTokensShare: null, computeShare: null };
  const before = smallSteps / options.steps;
  const size = parameters.small / parameters.large;
  return { tokensShare, allTokensShare: tokensShare + before, computeShare: tokensShare + size * before };
}

function printTable(): void {
  const head = [
    "seed",
    "rule",
    "start",
    ...SHARES.map((share) => `${share * 100} %`),
    "tokens",
    "with the smaller one's",
    "compute",
  ];
  const table = new Table({ head, style: { head: [], border: [] } });
  for (const { seed, rule, startNats, nats, ...row } of rows) {
    const losses =
      nats.length === 1 ? [`100 %: ${nats[0]?.toFixed(3)}`, "", ""] : nats.map((x) => x.toFixed(3));
    const shares = [row.tokensShare, row.allTokensShare, row.computeShare].map((x) =>
      x === null ? "not reached" : `${(100 * x).toFixed(0)} %`,
    );
    table.push([seed, rule, startNats.toFixed(3), ...losses, ...shares]);
  }
  process.stdout.write(`${parameters.small} -> ${parameters.large} parameters\n${table.toString()}\n`);
}
