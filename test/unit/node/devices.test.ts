/** N2: several devices are one trainer, with the CPU's engine in several threads. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { accumulateResidual, codecAt, encodeDelta } from "../../../src/codec/index.ts";
import {
  type Cid,
  type Digest,
  type Logger,
  RAW,
  bytesOf,
  cidOf,
  silentLog,
  systemClock,
} from "../../../src/core/index.ts";
import { draftManifest } from "../../../src/node/index.ts";
import { Learner } from "../../../src/node/learner/learner.ts";
import type { LearnerOptions } from "../../../src/node/learner/options.ts";
import { stepsPerDevice } from "../../../src/node/learner/trainers.ts";
import { estimatePhase } from "../../../src/node/run/estimate.ts";
import {
  type Engine,
  assignedBatch,
  initialWeights,
  learningRate,
  parametersCount,
  tensorLengths,
} from "../../../src/trainer/index.ts";
import { learnableBytes, startEngine } from "../../support/trainer/models.ts";

const SEED = "ab".repeat(32) as Digest;
const text = learnableBytes(20_000, "text");
const shard = { cid: cidOf(text, RAW), tokens: text.length };
const [phase] = draftManifest({ preset: "tiny" }, { data: [shard.cid] }).phases;
if (phase === undefined) throw new Error("expected a phase");
const { model, optimizer, codec } = phase;

function optionsOf(o: { devicesCount: number; stepsPerRound: number; stepsMax: number }): LearnerOptions {
  const { devicesCount, stepsPerRound, stepsMax } = o;
  return {
    model,
    optimizer,
    codec,
    residualBeta: 1,
    data: { train: [shard], heldOut: [shard], vocabulary: 256, tokenizerFile: null },
    start: null,
    engine: "cpu",
    devices: Array.from({ length: devicesCount }, () => undefined),
    threads: devicesCount,
    seed: "1",
    batch: { ...phase!.batch, stepsPerRound, stepsMax },
    tokensBudget: 1e6,
    roundMsMax: 600_000,
  };
}

function open(
  o: Parameters<typeof optionsOf>[0],
  {
    log = silentLog,
    block = () => Promise.resolve(text),
  }: { log?: Logger; block?: (cid: Cid) => Promise<Uint8Array> } = {},
): Promise<Learner> {
  return Learner.open(optionsOf(o), { clock: systemClock, log, block, secret: "" });
}

const orderOf = (round: number): Parameters<Learner["train"]>[0] => ({
  round,
  closing: false,
  seed: SEED,
  tokensDone: 0,
  flockSize: 1,
  settledTokens: 0,
  restore: [],
  withdraw: [],
});
const nothing = { restore: [], withdraw: [] };

/** What one device must come to by itself: `count` steps of a round, every second from `first` on. */
async function trainedAlone(first: number, count: number): Promise<{ engine: Engine; losses: number[] }> {
  const { sequences } = phase!.batch;
  const engine = await startEngine({ model, sequences, threads: 1, optimizer });
  engine.state.weights.set(Float32Array.from(initialWeights(model, "1"), (fixed) => fixed / 2 ** 24));
  await engine.load();
  const losses: number[] = [];
  for (let i = 0; i < count; i++) {
    const drawn = { seed: SEED, step: first + 2 * i, sequences, contextLength: model.contextLength };
    const lr = learningRate(optimizer, i * sequences * model.contextLength, 1e6);
    losses.push((await engine.step(assignedBatch(text, drawn), lr)).lossNats);
  }
  await engine.sync();
  return { engine, losses };
}

/** x[i] = 1/2 a[i] + 1/2 b[i], rounded to float32 as sums on the host are. */
function meanOf(a: Float32Array, b: Float32Array): Float32Array {
  return a.map((x, i) => x / 2 + (b[i] as number) / 2);
}

function copyOf(state: ReadonlyMap<string, Uint8Array>): Map<string, Uint8Array> {
  return new Map([...state].map(([name, bytes]) => [name, bytes.slice()]));
}

let two: Learner;
beforeAll(async () => void (two = await open({ devicesCount: 2, stepsPerRound: 3, stepsMax: 12 })));
afterAll(() => two.close());

test("N2: the contribution of two devices is the average of two trainers' pseudo-gradients on different batches", async () => {
  const trained = await two.train(orderOf(0), nothing);
  const [a, b] = [await trainedAlone(0, 3), await trainedAlone(1, 3)];
  expect(a.losses).not.toEqual(b.losses);
  const end = meanOf(a.engine.state.weights, b.engine.state.weights);
  const residual = new Int32Array(parametersCount(model));
  accumulateResidual(residual, initialWeights(model, "1"), end, 1);
  const expected = encodeDelta(residual, tensorLengths(model), codecAt(codec, 0));
  expect(Buffer.compare(trained.delta?.bytes ?? new Uint8Array(), expected.bytes)).toBe(0);
  // One state goes on: the mean of the moments, as old as each of them.
  const state = two.state();
  for (const moment of ["moment1", "moment2"] as const) {
    const mean = meanOf(a.engine.state[moment], b.engine.state[moment]);
    expect(Buffer.compare(state.get(moment) ?? new Uint8Array(), bytesOf(mean))).toBe(0);
  }
  expect(new TextDecoder().decode(state.get("steps"))).toBe("3");
  // The header says all of it: as many tokens as both have met, and the mean of their losses.
  const { work } = trained.result;
  expect(work.steps).toBe(6);
  expect(work.tokens).toBe(6 * phase!.batch.sequences * model.contextLength);
  expect(work.engine).toBe("cpu x2");
  const mean = (of: (losses: readonly number[]) => number): number => (of(a.losses) + of(b.losses)) / 2;
  expect(work.lossFirst).toBe(mean((losses) => losses[0] as number));
  expect(work.lossLast).toBe(mean((losses) => losses[2] as number));
  await Promise.all([a.engine.close(), b.engine.close()]);
});

test("N2: devices together do no more steps than a contribution may have, and more devices than that are refused", async () => {
  const batch = { sequences: 8, stepsPerRound: 4, stepsMax: 9 };
  expect([1, 2, 3, 9].map((count) => stepsPerDevice({ batch }, count))).toEqual([4, 4, 3, 1]);
  await expect(open({ devicesCount: 3, stepsPerRound: 2, stepsMax: 2 })).rejects.toMatchObject({
    code: "DEVICE_INVALID",
    message: expect.stringContaining("at most 2 devices") as string,
  });
});

test("N2: what two devices have come to is taken up by one, and by two again, and nothing is lost", async () => {
  const before = await two.train(orderOf(1), nothing);
  const [state, { stateAfter }] = [copyOf(two.state()), before.result.work];
  const next = await two.train(orderOf(2), nothing);
  // As after a kill: what was on the disk is taken up, and the round is done again to the same bytes.
  expect(two.resume(state, stateAfter)).toBe(true);
  const again = await two.train(orderOf(2), nothing);
  expect(again.result.work).toEqual(next.result.work);
  expect(Buffer.compare(again.delta!.bytes, next.delta!.bytes)).toBe(0);
  const one = await open({ devicesCount: 1, stepsPerRound: 2, stepsMax: 8 });
  expect(one.resume(state, stateAfter)).toBe(true);
  const alone = await one.train(orderOf(2), nothing);
  expect(alone.result.work).toMatchObject({ stateBefore: stateAfter, steps: 2, engine: "cpu" });
  expect(two.resume(one.state(), alone.result.work.stateAfter)).toBe(true);
  expect(await two.evaluate("start", 4)).toBe(await one.evaluate("start", 4));
  await one.close();
});

test("N2: a hurry ends the round of all devices after the steps that they are in", async () => {
  two.hurry(3);
  expect((await two.train(orderOf(3), nothing)).result.work.steps).toBe(2);
});

test("N2: a device that fails is left out and named, and the others go on", async () => {
  const said: unknown[] = [];
  const log: Logger = { ...silentLog, error: (message, context) => said.push({ message, ...context }) };
  let asked = 0;
  // The first device to ask gets its data; the second does not.
  const block = (): Promise<Uint8Array> =>
    ++asked === 1 ? Promise.resolve(text) : Promise.reject(new Error("the bus is gone"));
  const learner = await open({ devicesCount: 2, stepsPerRound: 2, stepsMax: 8 }, { log, block });
  const { result, devicesCount, delta } = await learner.train(orderOf(0), nothing);
  expect({ steps: result.work.steps, engine: result.work.engine, devicesCount }).toEqual({
    steps: 2,
    engine: "cpu",
    devicesCount: 1,
  });
  expect(delta).not.toBeNull();
  expect(said).toEqual([
    expect.objectContaining({
      message: expect.stringContaining("a device has failed and is left out") as string,
      left: 1,
      error: "the bus is gone",
    }),
  ]);
  expect((await learner.train(orderOf(1), nothing)).result.work.steps).toBe(2);
  await learner.close();
});

test("N2: where no device starts the last one's failure is the node's", async () => {
  const options = {
    ...optionsOf({ devicesCount: 2, stepsPerRound: 2, stepsMax: 8 }),
    engine: "coreml" as const,
  };
  const deps = { clock: systemClock, log: silentLog, block: () => Promise.resolve(text), secret: "" };
  await expect(Learner.open(options, deps)).rejects.toMatchObject({ code: "ENGINE_UNAVAILABLE" });
});

test("N2: the estimate of memory counts every device, and the state that they share", () => {
  const one = estimatePhase(phase!).memoryBytes;
  const two = estimatePhase(phase!, { trainers: 2 }).memoryBytes;
  const three = estimatePhase(phase!, { trainers: 3 }).memoryBytes;
  const shared = 12 * parametersCount(model);
  expect(two - one).toBeGreaterThan(shared + 16 * parametersCount(model));
  expect(three - two).toBeCloseTo(two - one - shared, 0);
});
