import { expect, test } from "vitest";
import { type Digest, RAW, cidOf, silentLog, systemClock } from "../../../src/core/index.ts";
import { draftManifest } from "../../../src/node/index.ts";
import { Learner } from "../../../src/node/learner/learner.ts";
import { Progress } from "../../../src/node/round/progress.ts";
import { learnableBytes } from "../../support/trainer/models.ts";

async function learnerWith(lrMax: number, stepsPerRound: number): Promise<Learner> {
  const text = learnableBytes(20_000, "text");
  const shard = { cid: cidOf(text, RAW), tokens: text.length };
  const [phase] = draftManifest({ preset: "tiny" }, { data: [shard.cid] }).phases;
  const { model, optimizer, codec, residualBeta, batch } = phase!;
  const names = { train: [shard], heldOut: [shard] };
  return Learner.open(
    {
      model,
      codec,
      residualBeta,
      data: { ...names, vocabulary: 256, tokenizerFile: null },
      start: null,
      engine: "cpu",
      threads: 1,
      seed: "1",
      // The floor is the height, and there is no warm-up: every step has this rate.
      optimizer: { ...optimizer, lrMax, lrMinShare: 1, warmupShare: 0 },
      batch: { ...batch, stepsPerRound },
      tokensBudget: 1e9,
      roundMsMax: 600_000,
    },
    { clock: systemClock, log: silentLog, block: () => Promise.resolve(text), secret: "" },
  );
}

const order = (round: number): Parameters<Learner["train"]>[0] => ({
  round,
  closing: false,
  seed: "ab".repeat(32) as Digest,
  tokensDone: 0,
  flockSize: 1,
  settledTokens: 0,
  restore: [],
  withdraw: [],
});
const nothing = { restore: [], withdraw: [] };

test("T6: steps made non-finite by a huge learning rate are not applied and counted, and the round goes on", async () => {
  // The first step is fine and wrecks the weights; the next three are not.
  const learner = await learnerWith(1e30, 4);
  const { result, stepsNotApplied } = await learner.train(order(0), nothing);
  expect(stepsNotApplied).toBe(3);
  expect(result.work).toMatchObject({ steps: 1, lossLast: result.work.lossFirst });
  const progress = new Progress();
  progress.countTraining({ trainingMs: 1, devicesCount: 1, stepsNotApplied, work: result.work });
  progress.countTraining({
    trainingMs: 1,
    devicesCount: 1,
    stepsNotApplied,
    work: { tokens: 0, lossLast: null },
  });
  expect(progress.stepsNotApplied).toBe(6);
  await learner.close();
});

test("T6: after five such steps in a row training stops and says what to do", async () => {
  const learner = await learnerWith(1e30, 20);
  await expect(learner.train(order(0), nothing)).rejects.toMatchObject({
    code: "TRAINING_DIVERGED",
    message: expect.stringMatching(/got 5 steps in a row .* lower optimizer.lrMax/) as string,
  });
  await learner.close();
});

test("T6: a healthy round counts no such steps", async () => {
  const learner = await learnerWith(2e-3, 3);
  const { result, stepsNotApplied } = await learner.train(order(0), nothing);
  expect({ stepsNotApplied, steps: result.work.steps }).toEqual({ stepsNotApplied: 0, steps: 3 });
  await learner.close();
});
