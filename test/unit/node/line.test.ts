import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Cid } from "../../../src/core/index.ts";
import type { Swarm } from "../../../src/gossip/index.ts";
import { Line } from "../../../src/node/network/limited-swarm.ts";
import { Throttle } from "../../../src/node/network/throttle.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const CID = "cid" as Cid;

describe("N2 the bounds of the line", () => {
  test("over any pieces, the mean stays below the bound by at most one piece", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 40 }),
        async (pieces) => {
          const clock = new ManualClock();
          const throttle = new Throttle({ bytesPerSecond: 1000, clock });
          let moved = 0;
          for (const bytes of pieces) {
            let isPaid = false;
            const paid = throttle.paid().then(() => (isPaid = true));
            await new Promise(setImmediate);
            while (!isPaid) await clock.advance(100);
            await paid;
            // What went before has been paid for with time.
            expect(moved).toBeLessThanOrEqual(clock.nowMs());
            throttle.charge(bytes);
            moved += bytes;
          }
        },
      ),
      { numRuns: 20 },
    );
  });

  test("--max-upload: a block is late, and one that would be too late is left to others", async () => {
    const clock = new ManualClock();
    const line = new Line({ uploadMax: 100_000, downloadMax: null }, clock);
    const source = line.serving({ get: async () => new Uint8Array(400_000), has: async () => true });
    expect((await source.get(CID))?.length).toBe(400_000);
    let second: Uint8Array | undefined;
    const serving = source.get(CID).then((block) => (second = block));
    await clock.advance(3_999);
    expect(second).toBeUndefined();
    await clock.advance(1);
    await serving;
    expect(second).toHaveLength(400_000);
    const slow = new Line({ uploadMax: 10_000, downloadMax: null }, clock);
    const slowSource = slow.serving({ get: async () => new Uint8Array(400_000), has: async () => true });
    await slowSource.get(CID);
    expect(await slowSource.get(CID)).toBeUndefined();
  });

  test("--max-download: the next block is asked for when the last is paid", async () => {
    const clock = new ManualClock();
    const asked: number[] = [];
    const swarm = {
      fetchBlock: async () => {
        asked.push(clock.nowMs());
        return new Uint8Array(2000);
      },
    } as unknown as Swarm;
    const limited = new Line({ uploadMax: null, downloadMax: 1000 }, clock).fetching(swarm);
    const { signal } = new AbortController();
    await limited.fetchBlock(CID, [], { signal });
    const next = limited.fetchBlock(CID, [], { signal });
    await clock.advance(5000);
    await next;
    expect(asked).toEqual([0, 2000]);
  });

  test("a line that is cut serves nothing, and asks again when it is whole", async () => {
    const clock = new ManualClock();
    const line = new Line({ uploadMax: null, downloadMax: null }, clock);
    line.cut(true);
    expect(
      await line.serving({ get: async () => new Uint8Array(1), has: async () => true }).get(CID),
    ).toBeUndefined();
    const swarm = { fetchBlock: async () => new Uint8Array(1) } as unknown as Swarm;
    let got = false;
    const { signal } = new AbortController();
    const fetching = line
      .fetching(swarm)
      .fetchBlock(CID, [], { signal })
      .then(() => (got = true));
    await clock.advance(10_000);
    expect(got).toBe(false);
    line.cut(false);
    await clock.advance(1_000);
    await fetching;
  });
});
