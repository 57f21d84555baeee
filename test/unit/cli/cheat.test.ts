import { expect, test } from "vitest";
import { cheatOf } from "../../../src/cli/cheat.ts";
import { UsageError } from "../../../src/cli/failure.ts";
import { fromFixed, toFixed } from "../../../src/core/index.ts";
import { cheat } from "../../../src/node/learner/cheat.ts";

const loopback = { listen: ["/ip4/127.0.0.1/tcp/0"], local: true };

test("E5 a node is hostile only where the variable says so", () => {
  expect(cheatOf(undefined, loopback)).toBeUndefined();
  expect(cheatOf("flip", loopback)).toBe("flip");
  expect(() => cheatOf("steal", loopback)).toThrow(UsageError);
});

test.each([
  ["listens everywhere", { listen: [], local: true }],
  ["listens elsewhere too", { listen: [...loopback.listen, "/ip4/192.0.2.7/tcp/4001"], local: true }],
  ["is not for one machine", { ...loopback, local: false }],
])("E5 a node that %s is never hostile", (_, where) => {
  expect(() => cheatOf("lazy", where)).toThrow(/for tests on one machine/);
});

test("E5 a flip sends the opposite, a lazy one nothing", () => {
  const start = Int32Array.from([1, -0.5, 0.25], toFixed);
  const learned = Float32Array.of(1.5, -0.75, 0.25);
  const [flip, lazy] = [learned.slice(), learned.slice()];
  cheat("flip", start, flip);
  cheat("lazy", start, lazy);
  expect([...flip]).toEqual([0.5, -0.25, 0.25]);
  expect([...lazy]).toEqual([...start].map(fromFixed));
});
