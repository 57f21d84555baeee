/** Histories by chance, from seeds: what properties of settled history are tested on. */
import fc from "fast-check";
import type { Contribution, View } from "../../../src/consensus/index.ts";
import { SeededRandom } from "../../../src/core/index.ts";
import { runOf } from "../../support/run-of.ts";
import { History } from "./support.ts";

const NAMES = ["ada", "bob", "cyd", "dee", "eve"];
const DEPTH = 3;

/** A history in which authors are late, cite only some, close, and contradict themselves; the view after every round. */
export function wildHistory(seed: string, rounds: number): View[] {
  const random = new SeededRandom(seed);
  const history = new History(runOf({ seed, rule: { settleDepth: DEPTH, weightWindow: 4096 } }));
  const views: View[] = [];
  let last: Contribution[] = [];
  for (let round = 0; round < rounds; round++) {
    const present = NAMES.filter(() => round === 0 || random.below(5) > 0);
    const next = present.flatMap((name) => {
      const parents = last.filter(() => random.below(8) > 0);
      if (round > 0 && parents.length === 0) return [];
      const steps = random.below(6) === 0 ? 0 : 1 + random.below(40);
      const variants = random.below(12) === 0 ? ["one", "two"] : ["one"];
      return variants.map((variant) => history.add(name, parents, { steps, variant }));
    });
    if (next.length === 0) break;
    last = next;
    views.push(history.graph.view(round + 1, last));
  }
  return views;
}

/** Everybody who is there cites everybody, as honest nodes do, so all agree on what has settled; the view after every round. */
export function tameHistory(seed: string, rounds: number): View[] {
  const random = new SeededRandom(seed);
  const history = new History(runOf({ seed, rule: { settleDepth: DEPTH, weightWindow: 4096 } }));
  const views: View[] = [];
  let last: Contribution[] = [];
  for (let round = 0; round < rounds; round++) {
    const present = NAMES.filter((_, i) => i === 0 || random.below(4) > 0);
    last = present.map((name) => history.add(name, last, { steps: random.below(40) }));
    views.push(history.graph.view(round + 1, last));
  }
  return views;
}

/** Arguments of either: a history itself is far too large to be printed. */
export const seedAndRounds: fc.Arbitrary<[string, number]> = fc.tuple(
  fc.string({ minLength: 1, maxLength: 8 }),
  fc.integer({ min: 1, max: 14 }),
);
