/** Sets against the plain way: filter, sort, compare. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { Commons, type Contribution } from "../../../src/consensus/index.ts";
import { Sets } from "../../../src/consensus/sets.ts";
import { runOf } from "../../support/run-of.ts";
import { History } from "./support.ts";

const AUTHORS = 5;
/** Two contributions of each of five authors in round 0, and of the first in round 1. */
const all = ((): Contribution[] => {
  const history = new History(runOf({ seed: "sets" }));
  const first = Array.from({ length: 2 * AUTHORS }, (_, i) =>
    history.add(`peer ${i % AUTHORS}`, [], { variant: `${i < AUTHORS}` }),
  );
  return [...first, history.add("peer 1", [first[0]])];
})();
const choices = fc.array(fc.uniqueArray(fc.integer({ min: 0, max: 2 * AUTHORS - 1 })), { maxLength: 30 });

test("R3 a set is always the same list: sorted by id, without who is in it twice", () => {
  fc.assert(
    fc.property(choices, (sets) => {
      const known = new Sets();
      const byIds = new Map<string, readonly Contribution[]>();
      for (const chosen of sets.map((indices) => indices.map((i) => all[i]))) {
        const once = chosen.filter(({ header: a }) =>
          chosen.every(({ header: b }) => a === b || a.author !== b.author),
        );
        const ids = once.map(({ id }) => id).toSorted();
        const list = known.of(chosen);
        expect(list.map(({ id }) => id)).toEqual(ids);
        expect(byIds.get(ids.join()) ?? list).toBe(list);
        expect(known.of(list)).toBe(list);
        byIds.set(ids.join(), list);
      }
    }),
  );
});

test("R3 sets of different rounds are different, whatever their places", () => {
  const sets = new Sets();
  const [early, late] = [all[0], all.at(-1)!];
  expect(late.place).toBe(early.place);
  expect(sets.of([early])).not.toBe(sets.of([late]));
});

test("R3 views without parents are told apart by round and history", () => {
  const options = runOf({ seed: "sets" });
  const commons = new Commons(options);
  expect(commons.view(0, [])).toBe(commons.view(0, []));
  expect(commons.view(0, [])).not.toBe(commons.view(1, []));
});
