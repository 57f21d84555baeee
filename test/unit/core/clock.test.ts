import { expect, test } from "vitest";
import { pause } from "../../../src/core/index.ts";
import { ManualClock } from "../../support/manual-clock.ts";

test("a pause says whether time went by or somebody called it off, before it began too", async () => {
  const clock = new ManualClock();
  const stop = new AbortController();
  const first = pause(clock, 10, stop.signal);
  await clock.advance(10);
  expect(await first).toBe(true);
  const second = pause(clock, 10, stop.signal);
  stop.abort(new Error("enough"));
  expect(await second).toBe(false);
  expect(await pause(clock, 10, stop.signal)).toBe(false);
});
