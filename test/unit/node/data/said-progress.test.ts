/** N7: a node that fetches for long says how far it is, every few seconds and not more. */
import { expect, test } from "vitest";
import { type Cid, type Logger, silentLog } from "../../../../src/core/index.ts";
import { saidProgress } from "../../../../src/node/data/said-progress.ts";
import { ManualClock } from "../../../support/manual-clock.ts";

test("N7: a fetch says what has come, of how much and how fast, at most every five seconds", async () => {
  const clock = new ManualClock();
  const said: unknown[] = [];
  const log: Logger = { ...silentLog, info: (message, context) => said.push({ message, ...context }) };
  const taken: Cid[] = [];
  const take = saidProgress(async (cid) => void taken.push(cid), {
    what: "data",
    blocksCount: 9,
    clock,
    log,
  });
  for (let i = 0; i < 9; i++) {
    await clock.advance(2000);
    await take(`block-${i}` as Cid, new Uint8Array(1000));
  }
  expect(taken).toHaveLength(9);
  const common = { message: "fetching", what: "data", of: 9, bytesPerSecond: 500 };
  expect(said).toEqual([3, 6, 9].map((blocks) => ({ ...common, blocks, bytes: 1000 * blocks })));
});
