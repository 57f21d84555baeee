import { expect, test } from "vitest";
import { forEachParallel } from "../../../src/storage/parallel.ts";

test("every item once, never more at a time than the limit", async () => {
  const done: number[] = [];
  let [running, runningMax] = [0, 0];
  await forEachParallel(Array.from({ length: 20 }).keys(), 3, async (item) => {
    runningMax = Math.max(runningMax, (running += 1));
    await new Promise(setImmediate);
    running -= 1;
    done.push(item);
  });
  expect(done.sort((a, b) => a - b)).toEqual([...Array.from({ length: 20 }).keys()]);
  expect(runningMax).toBe(3);
});

test("after a failure nothing new starts, and it is thrown when nothing runs any more", async () => {
  const started: number[] = [];
  let running = 0;
  const all = forEachParallel([0, 1, 2, 3, 4, 5], 2, async (item) => {
    started.push(item);
    running += 1;
    await new Promise(setImmediate);
    if (item !== 0) for (let i = 0; i < 5; i += 1) await new Promise(setImmediate);
    running -= 1;
    if (item === 0) throw new Error("first");
  });
  await expect(all).rejects.toThrow("first");
  expect(running).toBe(0);
  expect(started).toEqual([0, 1]);
});
