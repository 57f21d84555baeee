import fc from "fast-check";
import { expect, test } from "vitest";
import type { PeerId } from "../../../src/core/index.ts";
import { Gate, PeerGates } from "../../../src/gossip/gate.ts";

const never = new AbortController().signal;

test("a gate lets so many in, so many wait in order, and tells the rest that it is full", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.nat(4),
      fc.nat(20),
      async (insideMax, waitingMax, count) => {
        const gate = new Gate({ insideMax, waitingMax });
        const entered: number[] = [];
        const doors: Array<() => void> = [];
        let inside = 0;
        let most = 0;
        const results = Array.from({ length: count }, (_, n) =>
          gate.run({
            work: async () => {
              entered.push(n);
              most = Math.max(most, ++inside);
              await new Promise<void>((resolve) => doors.push(resolve));
              inside -= 1;
              return n;
            },
            full: "full",
            signal: never,
          }),
        );
        const admitted = Math.min(count, insideMax + waitingMax);
        for (let n = 0; n < admitted; n++) {
          while (doors.length === 0) await Promise.resolve();
          doors.shift()?.();
        }
        const expected = results.map((_, n) => (n < admitted ? n : "full"));
        expect(await Promise.all(results)).toEqual(expected);
        expect(entered).toEqual(Array.from({ length: admitted }, (_, n) => n));
        expect(most).toBeLessThanOrEqual(insideMax);
        expect(gate.idle).toBe(true);
      },
    ),
  );
});

test("who is aborted while waiting leaves its place to the next, and work that throws leaves the gate open", async () => {
  const gate = new Gate({ insideMax: 1, waitingMax: 2 });
  const first = Promise.withResolvers<string>();
  const impatient = new AbortController();
  const running = gate.run({ work: () => first.promise, full: "full", signal: never });
  const aborted = gate.run({ work: async () => "never", full: "full", signal: impatient.signal });
  const next = gate.run({ work: () => Promise.reject(new Error("broken")), full: "full", signal: never });
  impatient.abort(new Error("gone"));
  await expect(aborted).rejects.toThrow("gone");
  first.resolve("first");
  expect(await running).toBe("first");
  await expect(next).rejects.toThrow("broken");
  expect(await gate.run({ work: async () => "open", full: "full", signal: never })).toBe("open");
});

test("each peer has a gate of its own", async () => {
  const gates = new PeerGates({ insideMax: 1, waitingMax: 0 });
  const slow = Promise.withResolvers<string>();
  const a = gates.run("a" as PeerId, { work: () => slow.promise, full: "full", signal: never });
  expect(await gates.run("a" as PeerId, { work: async () => "in", full: "full", signal: never })).toBe(
    "full",
  );
  expect(await gates.run("b" as PeerId, { work: async () => "in", full: "full", signal: never })).toBe("in");
  slow.resolve("done");
  expect(await a).toBe("done");
  expect(await gates.run("a" as PeerId, { work: async () => "in", full: "full", signal: never })).toBe("in");
});
