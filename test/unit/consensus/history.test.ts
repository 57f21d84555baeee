/** A history is a set: how and when its headers come in leaves no trace in what is computed from them. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type Contribution,
  ContributionGraph,
  type GraphOptions,
  foldTerms,
} from "../../../src/consensus/index.ts";
import { type ContributionId, SeededRandom } from "../../../src/core/index.ts";
import { runOf } from "../../support/run-of.ts";
import { History, type Made } from "./support.ts";

/** All that a view says, with names only. */
function portrait(contribution: Contribution): unknown {
  const { view } = contribution;
  const rounds = Array.from({ length: view.round }, (_, r) => {
    const included = view.included(r);
    return { ids: included.map(({ id }) => id), terms: foldTerms(included, 2 ** 20) };
  });
  const voters = Object.fromEntries(view.voters());
  return { rounds, anchor: view.anchor()?.id, tokens: view.includedTokens(), voters };
}

function portraits(graph: ContributionGraph, ids: readonly ContributionId[]): unknown[] {
  return ids.map((id) => portrait(graph.get(id) as Contribution));
}

function deliver(options: GraphOptions, all: readonly Made[]): ContributionGraph {
  const graph = new ContributionGraph(options);
  for (const { id, header } of all) graph.add(id, header);
  return graph;
}

function shuffle<T>(items: readonly T[], random: SeededRandom): T[] {
  const shuffled = [...items];
  for (let i = shuffled.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [shuffled[i], shuffled[j]] = [shuffled[j], shuffled[i]];
  }
  return shuffled;
}

/** Everybody contributes in every round and cites each contribution of the last with the given chance, and its own. */
function randomHistory(
  seed: string,
  shape: { authors: number; rounds: number; hears: number },
): History & { all: Made[] } {
  const random = new SeededRandom(seed);
  const history = new History(runOf({ seed }));
  const all: Made[] = [];
  let last: { author: number; made: Made }[] = [];
  for (let round = 0; round < shape.rounds; round++) {
    const now: typeof last = [];
    for (let author = 0; author < shape.authors; author++) {
      const cited = last.filter((one) => one.author === author || random.unit() < shape.hears);
      const parents = cited.map(({ made }) => made);
      if (round > 0 && parents.length === 0) continue;
      const details = { steps: 1 + random.below(50), norm: 1 + random.below(10 ** 6) };
      now.push({ author, made: history.add(`author ${author}`, parents, details) });
      // One in eight shows a second one, which others may cite instead.
      if (random.below(8) > 0) continue;
      now.push({ author, made: history.add(`author ${author}`, parents, { ...details, variant: "again" }) });
    }
    all.push(...now.map(({ made }) => made));
    last = now;
  }
  return Object.assign(history, { all });
}

const shapes = fc.record({
  seed: fc.string(),
  authors: fc.integer({ min: 1, max: 6 }),
  rounds: fc.integer({ min: 1, max: 7 }),
  hears: fc.constantFrom(0.3, 0.5, 0.8, 1),
});

test("F14: order of arrival and duplicates change no view, no set, no factor", () => {
  fc.assert(
    fc.property(shapes, ({ seed, ...shape }) => {
      const { all, graph, options } = randomHistory(seed, shape);
      const ids = all.map(({ id }) => id);
      const truth = portraits(graph, ids);
      const random = new SeededRandom(`${seed}/order`);
      const twice = shuffle([...all, ...all], random);
      expect(portraits(deliver(options, twice), ids)).toEqual(truth);
      expect(portraits(deliver(options, all.toReversed()), ids)).toEqual(truth);
    }),
    { numRuns: 60 },
  );
});

test("F14: two halves that heard only themselves converge once they have heard each other", () => {
  fc.assert(
    fc.property(shapes, ({ seed, ...shape }) => {
      const { all, graph, options } = randomHistory(seed, shape);
      const ids = all.map(({ id }) => id);
      const random = new SeededRandom(`${seed}/halves`);
      const isLeft = all.map(() => random.below(2) === 0);
      const left = all.filter((_, i) => isLeft[i]);
      const right = all.filter((_, i) => !isLeft[i]);
      const healed = [deliver(options, [...left, ...right]), deliver(options, [...right, ...left])];
      for (const one of healed) {
        expect(portraits(one, ids)).toEqual(portraits(graph, ids));
        expect(one.missing()).toEqual([]);
      }
    }),
    { numRuns: 40 },
  );
});

test("F14: the view of chosen parents does not depend on the order in which they are given", () => {
  fc.assert(
    fc.property(shapes, ({ seed, ...shape }) => {
      const { graph } = randomHistory(seed, shape);
      const last = graph.round(graph.roundsCount - 1);
      const [one, other] = [last, last.toReversed()].map((parents) => graph.view(graph.roundsCount, parents));
      expect(one.parents).toEqual(other.parents);
      expect(one.anchor()).toBe(other.anchor());
      expect(one.voted()).toEqual(other.voted());
    }),
    { numRuns: 40 },
  );
});
