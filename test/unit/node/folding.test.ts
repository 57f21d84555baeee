/** S3, S5: which plans of the machine the learner gets to fold. */
import { beforeEach, expect, test } from "vitest";
import type { FoldPlan, Machine, View } from "../../../src/consensus/index.ts";
import type { Digest } from "../../../src/core/index.ts";
import { Gate } from "../../../src/node/idle/gate.ts";
import { Folding } from "../../../src/node/round/folding.ts";
import { Progress } from "../../../src/node/round/progress.ts";

const ROOT = "root" as Digest;
const plan = (round: number, from: number): FoldPlan => ({ round, from, settledRound: from, rounds: [] });

let stage: Machine["stage"];
let looked: PromiseWithResolvers<void>;
let folded: FoldPlan[];
let gate: Gate;
let folding: Folding;

beforeEach(() => {
  stage = "folding";
  looked = Promise.withResolvers();
  folded = [];
  gate = new Gate();
  folding = new Folding({
    machine: {
      get stage() {
        return stage;
      },
      view: { includedTokens: () => 0 } as View,
    },
    learner: {
      fold: async (given) => (folded.push(given), { settledWeights: ROOT }),
      evaluate: async () => 1,
    },
    gate,
    progress: new Progress(),
    weightsStand: () => looked.promise,
    signal: new AbortController().signal,
  });
});

test("a plan waits until the weights stand, and is folded", async () => {
  const done = folding.fold(plan(5, 0));
  await new Promise(setImmediate);
  expect(folded).toEqual([]);
  looked.resolve();
  expect(await done).toEqual({ settledWeights: ROOT });
  expect(folded).toEqual([plan(5, 0)]);
});

test("S5 a plan from before the state that the node stepped onto is void, also where there is nothing to fold yet", async () => {
  const done = folding.fold(plan(5, 0));
  stage = "collecting";
  looked.resolve();
  expect(await done).toBeUndefined();
  expect(folded).toEqual([]);
});

test("S5 of two plans that waited the later one is folded", async () => {
  const before = folding.fold(plan(5, 0));
  const after = folding.fold(plan(34, 32));
  looked.resolve();
  expect(await before).toBeUndefined();
  expect(await after).toEqual({ settledWeights: ROOT });
  expect(folded).toEqual([plan(34, 32)]);
});

test("a paused node folds nothing", async () => {
  gate.close("paused");
  looked.resolve();
  const done = folding.fold(plan(5, 0));
  await new Promise(setImmediate);
  expect(folded).toEqual([]);
  gate.open("paused");
  expect(await done).toEqual({ settledWeights: ROOT });
});
