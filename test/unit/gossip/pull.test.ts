import fc from "fast-check";
import { expect, test } from "vitest";
import { type Cid, RAW, cidOf } from "../../../src/core/index.ts";
import { SimPeer, VirtualClock, pullAll } from "../../support/uplinks.ts";

function cidsOf(count: number): Cid[] {
  return Array.from({ length: count }, (_, i) => cidOf(new TextEncoder().encode(`block ${i}`), RAW));
}

/** An author that holds everything and receivers that hold nothing. */
function flock(
  clock: VirtualClock,
  o: { receivers: number; cids: readonly Cid[]; authorMs: number; receiverMs: number; latencyMs: number },
): { author: SimPeer; receivers: SimPeer[] } {
  const { authorMs, receiverMs, latencyMs } = o;
  const author = new SimPeer("author", clock, { blockMs: authorMs, latencyMs });
  for (const cid of o.cids) author.held.add(cid);
  const receivers = Array.from(
    { length: o.receivers },
    (_, i) => new SimPeer(`receiver ${i}`, clock, { blockMs: receiverMs, latencyMs }),
  );
  return { author, receivers };
}

test.each([
  ["100 blocks on a fast LAN", 100, { authorMs: 10, receiverMs: 10, latencyMs: 1 }],
  ["30 blocks at 20 Mbit/s, 100 ms round trip", 30, { authorMs: 400, receiverMs: 400, latencyMs: 50 }],
  ["30 blocks, the author alone on a slow line", 30, { authorMs: 400, receiverMs: 100, latencyMs: 20 }],
])(
  "S1 15 receivers get all, and the author uploads hardly more than one copy: %s",
  async (_, count, speed) => {
    const clock = new VirtualClock();
    const cids = cidsOf(count);
    const { author, receivers } = flock(clock, { receivers: 15, cids, ...speed });
    const others = [author, ...receivers];
    await clock.run(Promise.all(receivers.map((self) => pullAll(self, { cids, others, clock }))));
    for (const { held } of receivers) expect(held.size).toBe(count);
    expect(author.sentCount).toBeLessThanOrEqual(1.1 * count);
    // A naive push would take the author 15 times as long as one upload.
    expect(clock.nowMs()).toBeLessThan(3 * count * speed.authorMs);
    for (const { askedAtOnceMax } of others) expect(askedAtOnceMax).toBeLessThanOrEqual(4);
  },
);

test("S1 one holder far away: its line does not stand still between two blocks", async () => {
  const clock = new VirtualClock();
  const cids = cidsOf(60);
  const speed = { authorMs: 20, receiverMs: 20, latencyMs: 50 };
  const { author, receivers } = flock(clock, { receivers: 1, cids, ...speed });
  const [self] = receivers as [SimPeer];
  await clock.run(pullAll(self, { cids, others: [author], clock }));
  // Four blocks for each round trip and their own time: 0.1 + 0.02 s each. Asking what is there in between took twice that.
  expect(clock.nowMs()).toBeLessThan((60 / 4) * (100 + 4 * 20) + 500);
});

test("S1 S3 who knows one peer only is not told to look elsewhere: what that has given to others comes as fast as anything", async () => {
  const clock = new VirtualClock();
  const cids = cidsOf(30);
  const speed = { authorMs: 20, receiverMs: 20, latencyMs: 50 };
  const { author, receivers } = flock(clock, { receivers: 2, cids, ...speed });
  const [first, late] = receivers as [SimPeer, SimPeer];
  const pullOf = async (self: SimPeer): Promise<number> => {
    const startedMs = clock.nowMs();
    await clock.run(pullAll(self, { cids, others: [author], clock }));
    return clock.nowMs() - startedMs;
  };
  const firstMs = await pullOf(first);
  expect(await pullOf(late)).toBeLessThan(1.5 * firstMs);
});

test("S1 S3 what was given to somebody who is gone costs newcomers a few pauses, each half as long, and not one for each block", async () => {
  const clock = new VirtualClock();
  const cids = cidsOf(60);
  const speed = { authorMs: 20, receiverMs: 20, latencyMs: 5 };
  const { author, receivers } = flock(clock, { receivers: 3, cids, ...speed });
  const [gone, ...late] = receivers as [SimPeer, SimPeer, SimPeer];
  await clock.run(pullAll(gone, { cids, others: [author], clock }));
  const startedMs = clock.nowMs();
  const others = [author, ...late];
  await clock.run(Promise.all(late.map((self) => pullAll(self, { cids, others, clock }))));
  expect(clock.nowMs() - startedMs).toBeLessThan(30_000);
});

test("S1 the author dies at 30 % of the transfer: the others complete it from each other", async () => {
  const clock = new VirtualClock();
  const cids = cidsOf(40);
  const speed = { authorMs: 1, receiverMs: 60, latencyMs: 1 };
  const { author, receivers } = flock(clock, { receivers: 8, cids, ...speed });
  const spread = new Set<Cid>();
  let taken = 0;
  const onTake = (cid: Cid): void => {
    spread.add(cid);
    taken += 1;
    if (taken === 0.3 * cids.length * receivers.length) author.isAlive = false;
  };
  const others = [author, ...receivers];
  await clock.run(Promise.all(receivers.map((self) => pullAll(self, { cids, others, clock, onTake }))));
  expect(author.isAlive).toBe(false);
  for (const { held } of receivers) expect(held.size).toBe(40);
});

test("S1 the author dies too early: what any receiver has reaches all of them, then the pull says what is missing", async () => {
  const clock = new VirtualClock();
  const cids = cidsOf(40);
  const speed = { authorMs: 50, receiverMs: 50, latencyMs: 5 };
  const { author, receivers } = flock(clock, { receivers: 4, cids, ...speed });
  const onTake = (): void => {
    if (author.sentCount >= 20) author.isAlive = false;
  };
  const others = [author, ...receivers];
  const pulls = Promise.allSettled(receivers.map((self) => pullAll(self, { cids, others, clock, onTake })));
  const ended = await clock.run(pulls);
  for (const each of ended)
    expect(each).toMatchObject({ status: "rejected", reason: { code: "BLOCK_NOT_FOUND" } });
  const union = new Set(receivers.flatMap(({ held }) => [...held]));
  expect(union.size).toBeLessThan(40);
  for (const { held } of receivers) expect(held.size).toBe(union.size);
});

test("S1 holders that lie, hang or have nothing do not keep a pull from ending", async () => {
  const behaviour = fc.constantFrom<"well" | "lies" | "hangs">("well", "lies", "hangs");
  const holder = fc.record({
    behaves: behaviour,
    blockMs: fc.integer({ min: 1, max: 500 }),
    held: fc.array(fc.nat(19)),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(holder, { maxLength: 6 }), async (drawn) => {
      const clock = new VirtualClock();
      const cids = cidsOf(20);
      const self = new SimPeer("self", clock, { blockMs: 1 });
      // One honest holder of everything, though slow and last in line.
      const whole = new SimPeer("whole", clock, { blockMs: 300 });
      for (const cid of cids) whole.held.add(cid);
      const others = drawn.map(({ held, ...o }, i) => {
        const peer = new SimPeer(`peer ${i}`, clock, o);
        for (const index of held) peer.held.add(cids[index] as Cid);
        return peer;
      });
      const taken: Cid[] = [];
      await clock.run(
        pullAll(self, { cids, others: [...others, whole], clock, onTake: (cid) => taken.push(cid) }),
      );
      expect(taken.toSorted()).toEqual(cids.toSorted());
    }),
    { numRuns: 12 },
  );
});

test("S1 blocks nobody has end the pull with BLOCK_NOT_FOUND; what was there has been taken", async () => {
  const clock = new VirtualClock();
  const cids = cidsOf(10);
  const self = new SimPeer("self", clock, { blockMs: 1 });
  const some = new SimPeer("some", clock, { blockMs: 10 });
  for (const cid of cids.slice(0, 4)) some.held.add(cid);
  const pulling = clock.run(pullAll(self, { cids, others: [some], clock }));
  await expect(pulling).rejects.toMatchObject({ code: "BLOCK_NOT_FOUND" });
  await expect(pulling).rejects.toThrow("holders of 6 more blocks");
  expect(self.held.size).toBe(4);
});

test("S1 a pull that is aborted ends, and another one asks only for the rest", async () => {
  const clock = new VirtualClock();
  const cids = cidsOf(30);
  const { author, receivers } = flock(clock, {
    receivers: 1,
    cids,
    authorMs: 20,
    receiverMs: 20,
    latencyMs: 1,
  });
  const [self] = receivers as [SimPeer];
  const control = new AbortController();
  const onTake = (): void => {
    if (self.held.size === 10) control.abort(new Error("broken off"));
  };
  const first = pullAll(self, { cids, others: [author], clock, onTake, signal: control.signal });
  await expect(clock.run(first)).rejects.toMatchObject({ code: "BLOCK_NOT_FOUND" });
  const already = self.held.size;
  expect(already).toBeLessThan(30);
  const sentBefore = author.sentCount;
  await clock.run(pullAll(self, { cids, others: [author], clock }));
  expect(self.held.size).toBe(30);
  expect(author.sentCount - sentBefore).toBe(30 - already);
});

test("S1 a failing disk ends the pull with its own error", async () => {
  const clock = new VirtualClock();
  const cids = cidsOf(10);
  const { author, receivers } = flock(clock, {
    receivers: 1,
    cids,
    authorMs: 10,
    receiverMs: 10,
    latencyMs: 1,
  });
  const onTake = (): never => {
    throw new Error("no room left");
  };
  const [self] = receivers as [SimPeer];
  await expect(clock.run(pullAll(self, { cids, others: [author], clock, onTake }))).rejects.toThrow(
    "no room",
  );
});
