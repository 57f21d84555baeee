/** Accepted work, and what many keys with little work each can do to it. */
import { expect, test } from "vitest";
import { countedTokens, medianTokens, weightedMedian } from "../../../src/consensus/weights.ts";
import { peerOf, runOf } from "../../support/run-of.ts";
import { History } from "./support.ts";

const KNOWN = ["ada", "bob", "cyd"];
const weightOf = (author: string): number => (KNOWN.map(peerOf).some((peer) => peer === author) ? 5 : 0);

test("R5 keys without weight cannot move the median, however many they are", () => {
  const history = new History(runOf({ seed: "weights" }));
  const known = KNOWN.map((name) => history.add(name, [], { steps: 40 }));
  const strangers = Array.from({ length: 32 }, (_, i) => history.add(`key ${i}`, [], { steps: 1 }));
  const counted = countedTokens([...known, ...strangers], weightOf);
  expect(KNOWN.map((name) => counted.get(peerOf(name)))).toEqual([4000, 4000, 4000]);
  expect(counted.get(peerOf("key 0"))).toBe(100);
  expect(medianTokens([...known, ...strangers], () => 0)).toBe(100);
});

test("claims of a third of the weight count no more than those of the others", () => {
  const history = new History(runOf({ seed: "claims" }));
  const all = KNOWN.map((name, i) => history.add(name, [], { steps: i === 0 ? 50 : 20 }));
  expect([...countedTokens(all, weightOf).values()]).toEqual([2000, 2000, 2000]);
});

test("the weighted median is the least value at which half of the weight is reached", () => {
  expect(weightedMedian([30, 10, 20], [1, 1, 1])).toBe(20);
  expect(weightedMedian([30, 10, 20], [3, 1, 1])).toBe(30);
  expect(weightedMedian([10, 20], [1, 1])).toBe(10);
  expect(weightedMedian([], [])).toBe(0);
});
