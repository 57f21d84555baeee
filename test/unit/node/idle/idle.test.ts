/** N2: when a node may use its machine. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { silentLog } from "../../../../src/core/index.ts";
import { Gate } from "../../../../src/node/idle/gate.ts";
import { Allowance } from "../../../../src/node/idle/allowance.ts";
import { Conditions, type UseOptions } from "../../../../src/node/idle/conditions.ts";
import { isWithin } from "../../../../src/node/idle/hours.ts";
import { OthersLoad, cpuTimes, othersShare } from "../../../../src/node/idle/others-load.ts";
import { ManualClock } from "../../../support/manual-clock.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "idle-"));
});
afterEach(async () => rm(dir, { recursive: true, force: true }));

const NOON = new Date(2026, 10, 22, 12, 30);
const NIGHT = new Date(2026, 10, 22, 23, 0);
const ALWAYS: UseOptions = { hours: null, onlyWhenIdle: false, monthlyBytesMax: null };

test("N2 --hours: up to and without the last one, past midnight too", () => {
  const within = (from: number, until: number): number[] =>
    Array.from({ length: 24 }, (_, hour) => hour).filter((hour) => isWithin({ from, until }, hour));
  expect(within(9, 17)).toEqual([9, 10, 11, 12, 13, 14, 15, 16]);
  expect(within(22, 7)).toEqual([0, 1, 2, 3, 4, 5, 6, 22, 23]);
  expect(within(0, 24)).toHaveLength(24);
});

describe("N2 --when idle", () => {
  test("what others use is what all use without us", () => {
    const before = { busyMs: 1000, totalMs: 10_000, ownMs: 500 };
    expect(othersShare(before, { busyMs: 2000, totalMs: 12_000, ownMs: 1300 })).toBeCloseTo(0.1);
    // Both clocks are coarse: never below nothing.
    expect(othersShare(before, { busyMs: 1500, totalMs: 11_000, ownMs: 1600 })).toBe(0);
    expect(othersShare(before, before)).toBe(0);
  });

  test("this machine's times grow", () => {
    const { busyMs, totalMs, ownMs } = cpuTimes();
    expect(ownMs).toBeGreaterThan(0);
    expect(busyMs).toBeGreaterThan(0);
    expect(totalMs).toBeGreaterThan(busyMs);
  });

  test("busy at once, idle after a quiet minute", () => {
    const load = new OthersLoad();
    let [busyMs, totalMs, nowMs] = [0, 0, 0];
    const look = (share: number): boolean => {
      nowMs += 3000;
      totalMs += 3000;
      busyMs += 3000 * share;
      return load.look({ busyMs, totalMs, ownMs: 0 }, nowMs);
    };
    expect([look(0), look(0.2), look(0.3)]).toEqual([false, false, true]);
    const minute = Array.from({ length: 20 }, () => look(0.1));
    expect(minute).toEqual(Array(20).fill(true));
    expect(look(0.1)).toBe(false);
  });
});

describe("N2 --monthly-traffic", () => {
  test("counts over restarts, and anew in a new month", async () => {
    const first = await Allowance.open(dir, 1000, NOON);
    expect([first.count(400, NOON), first.count(900, NOON)]).toEqual([false, false]);
    await first.save();
    const second = await Allowance.open(dir, 1000, NOON);
    expect(second.usedBytes).toBe(900);
    expect(second.count(100, NOON)).toBe(true);
    expect(second.count(150, new Date(2026, 11, 1))).toBe(false);
    expect(second.usedBytes).toBe(50);
  });

  test("a torn file counts as nothing used", async () => {
    await writeFile(join(dir, "traffic.json"), '{"month":"2026-11","by');
    expect((await Allowance.open(dir, 1000, NOON)).usedBytes).toBe(0);
  });
});

describe("N2 the conditions", () => {
  test("close and open the gate as the day and the traffic go", async () => {
    const [gate, clock] = [new Gate(), new ManualClock()];
    let [today, bytes] = [NOON, 0];
    const cuts: boolean[] = [];
    const conditions = new Conditions(
      { hours: { from: 22, until: 7 }, onlyWhenIdle: false, monthlyBytesMax: 1000 },
      {
        gate,
        dataDir: dir,
        clock,
        log: silentLog,
        traffic: () => bytes,
        allow: (isUsedUp) => cuts.push(isUsedUp),
        today: () => today,
      },
    );
    await conditions.start();
    expect(gate.why).toBe("outside its hours (22-7)");
    today = NIGHT;
    await clock.advance(3000);
    expect(gate.why).toBeNull();
    bytes = 1000;
    await clock.advance(3000);
    expect(gate.why).toBe("this month's traffic is used up");
    expect(cuts).toEqual([false, false, true]);
    await conditions.stop();
    expect((await Allowance.open(dir, 1, NIGHT)).usedBytes).toBe(1000);
  });

  test("without any, the gate stays open and no file is made", async () => {
    const gate = new Gate();
    const conditions = new Conditions(ALWAYS, {
      gate,
      dataDir: dir,
      clock: new ManualClock(),
      log: silentLog,
      traffic: () => 0,
      allow: () => undefined,
    });
    await conditions.start();
    await conditions.stop();
    expect(gate.why).toBeNull();
    await expect(Allowance.open(dir, 1, NOON)).resolves.toMatchObject({ usedBytes: 0 });
  });
});
