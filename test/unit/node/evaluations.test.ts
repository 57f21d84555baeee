/** N6: a program's own evaluation: one at a time, the newest next, and its failures are its own. */
import { once } from "node:events";
import { expect, test } from "vitest";
import { type Digest, type Logger, silentLog } from "../../../src/core/index.ts";
import { type Evaluate, Evaluations } from "../../../src/node/model/evaluations.ts";
import { type SettledEvent, createEmitter } from "../../../src/node/events.ts";
import { SettledModel } from "../../../src/node/model/settled-model.ts";

function settled(round: number): SettledEvent {
  return { phase: 0, round, root: `root ${round}` as Digest, weightsRoot: `weights ${round}` as Digest };
}

const model = new SettledModel({
  run: "bafy" as never,
  participation: () => undefined,
  status: () => expect.fail("nobody asks"),
});

function started(evaluate: Evaluate, log: Logger = silentLog) {
  const emitter = createEmitter();
  const evaluations = new Evaluations({ evaluate, model, emitter, log });
  return evaluations.start().then(() => ({ emitter, evaluations }));
}

test("N6 while an evaluation is at work only the newest settled state is kept for it", async () => {
  const asked: number[] = [];
  const first = Promise.withResolvers<void>();
  const { emitter, evaluations } = await started(async ({ round }) => {
    asked.push(round);
    if (round === 1) await first.promise;
    return { round };
  });
  for (const round of [1, 2, 3, 4]) emitter.emit("settled", settled(round));
  expect(asked).toEqual([1]);
  const answers: unknown[] = [];
  const answered = Promise.withResolvers<void>();
  emitter.on("evaluation", ({ scores }) => {
    answers.push(scores["round"]);
    if (answers.length === 2) answered.resolve();
  });
  first.resolve();
  await answered.promise;
  expect(asked).toEqual([1, 4]);
  expect(answers).toEqual([1, 4]);
  await evaluations.stop();
});

test("N6 one that fails is logged, and the next is asked again", async () => {
  const warnings: string[] = [];
  const log = { ...silentLog, warn: (message: string) => void warnings.push(message) };
  const { emitter, evaluations } = await started(async ({ round }) => {
    if (round === 1) throw new Error("no test set");
    return { round };
  }, log);
  emitter.emit("settled", settled(1));
  emitter.emit("settled", settled(2));
  const [answer] = (await once(emitter, "evaluation")) as [{ scores: object }];
  expect(answer.scores).toEqual({ round: 2 });
  expect(warnings).toEqual(["the program's evaluation failed"]);
  await evaluations.stop();
});

test("N6 stopping aborts the signal, waits for the answer, and asks no more", async () => {
  let isOver = false;
  const { emitter, evaluations } = await started(async (_, __, { signal }) => {
    await once(signal, "abort");
    isOver = true;
    return {};
  });
  emitter.emit("settled", settled(1));
  emitter.emit("settled", settled(2));
  await evaluations.stop();
  expect(isOver).toBe(true);
  expect(emitter.listenerCount("settled")).toBe(0);
});
