/** The turnout counts as things come in; its slow twin goes through everything that ever came each time it is asked. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Electorate, isHalf, without } from "../../../src/consensus/electorate.ts";
import { Lineage } from "../../../src/consensus/lineage.ts";
import { type Call, Muster } from "../../../src/consensus/muster.ts";
import { Turnout } from "../../../src/consensus/turnout.ts";
import type { Contribution } from "../../../src/consensus/index.ts";
import { digestOfText } from "../../support/run-of.ts";

/** Numbers of four authors; one beyond what there is room for at first. */
const PEERS = [0, 1, 2, 100];
const [SELF] = PEERS;

interface Come {
  readonly kind: "header" | "passed";
  readonly author: number;
  readonly round: number;
}

function electorateOf(weights: readonly number[]): Electorate {
  const table = new Map(PEERS.map((peer, i) => [peer, weights[i]]));
  return { total: weights.reduce((a, b) => a + b, 0), weightOf: (author) => table.get(author) ?? 0 };
}

class Twin {
  readonly come: Come[] = [];
  round = 0;
  electorate: Electorate;

  constructor(electorate: Electorate) {
    this.electorate = electorate;
  }

  portrait(): unknown {
    const { round } = this;
    const others = (kind: Come["kind"], from: number): boolean =>
      isHalf(
        this.electorate,
        this.#weight(this.#authors(kind, (r) => r >= from).difference(new Set([SELF]))),
        SELF,
      );
    const here = this.#authors("passed", (r) => r === round);
    const before = this.#authors("passed", (r) => r === round - 1);
    const [alone, all] = [false, true].map((withSelf) => {
      const { total } = withSelf ? this.electorate : without(this.electorate, SELF);
      const expected = withSelf ? before : before.difference(new Set([SELF]));
      const weight = this.#weight(here);
      return [3 * weight >= 2 * total, weight >= total && expected.isSubsetOf(here)];
    });
    return [
      here.size,
      others("passed", round),
      others("passed", round + 1),
      others("header", round + 1),
      alone,
      all,
    ];
  }

  #authors(kind: Come["kind"], isIn: (round: number) => boolean): Set<number> {
    return new Set(this.come.filter((c) => c.kind === kind && isIn(c.round)).map(({ author }) => author));
  }

  #weight(authors: ReadonlySet<number>): number {
    return [...authors].reduce((sum, author) => sum + this.electorate.weightOf(author), 0);
  }
}

function portraitOf(turnout: Turnout): unknown {
  return [
    turnout.authorsCount,
    turnout.isHalfHere,
    turnout.isHalfLater,
    turnout.isOutrun,
    [turnout.hasTwoThirds(false), turnout.hasAll(false)],
    [turnout.hasTwoThirds(true), turnout.hasAll(true)],
  ];
}

const weights = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 4, maxLength: 4 });
const comings = fc.record({
  kind: fc.constantFrom("header" as const, "passed" as const),
  author: fc.constantFrom(...PEERS),
  round: fc.integer({ min: 0, max: 6 }),
});
const events = fc.array(fc.oneof(comings, fc.record({ kind: fc.constant("enter" as const), weights })), {
  maxLength: 40,
});

test("R3 what was counted as it came equals what going through all of it gives", () => {
  fc.assert(
    fc.property(weights, events, (first, all) => {
      const twin = new Twin(electorateOf(first));
      const turnout = new Turnout(SELF, twin.electorate);
      for (const event of all) {
        if (event.kind === "enter") {
          twin.round += 1;
          twin.electorate = electorateOf(event.weights);
          turnout.enter(twin.round, twin.electorate);
        } else {
          twin.come.push(event);
          if (event.kind === "header") turnout.takeHeader(event.author, event.round);
          else turnout.takeFull(event.author, event.round);
        }
        expect(portraitOf(turnout)).toEqual(twin.portrait());
      }
    }),
    { numRuns: 500 },
  );
});

/** A tree of settled roots: each node has up to two next ones. */
function lineageAt(start: Lineage, path: readonly number[]): Lineage {
  return path.reduce((lineage, branch) => lineage.next(digestOfText(`${branch}`)), start);
}

const path = fc.array(fc.integer({ min: 0, max: 1 }), { maxLength: 4 });
const moves = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant("come" as const),
        author: fc.constantFrom(...PEERS),
        round: fc.integer({ min: 0, max: 6 }),
        path,
      }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("pass" as const), which: fc.nat() }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant("settle" as const),
        branch: fc.integer({ min: 0, max: 1 }),
        weights,
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant("resync" as const),
        round: fc.integer({ min: 0, max: 4 }),
        path,
        weights,
      }),
    },
  ),
  { maxLength: 40 },
);

test("R3 the turnout of our history equals a plain recount, whatever settles and whichever history we go over to", () => {
  fc.assert(
    fc.property(weights, moves, (first, all) => {
      const start = new Lineage(0, digestOfText("start"));
      const come: Contribution[] = [];
      const passed = new Set<Contribution>();
      let call: Call = { round: 0, lineage: start, electorate: electorateOf(first) };
      const muster = new Muster(
        {
          self: SELF,
          holds: (c) => passed.has(c),
          since: (round) => come.filter(({ header }) => header.round >= round),
        },
        call,
      );
      for (const move of all) {
        if (move.kind === "come") {
          const { author, round } = move;
          const c = {
            header: { round },
            authorNumber: author,
            lineage: lineageAt(start, move.path),
            view: {},
          } as unknown as Contribution;
          come.push(c);
          muster.take(c);
        } else if (move.kind === "pass") {
          const c = come[move.which % Math.max(1, come.length)];
          if (c === undefined) continue;
          passed.add(c);
          muster.take(c);
        } else {
          const { round, lineage } = call;
          const electorate = electorateOf(move.weights);
          if (move.kind === "settle")
            call = { round: round + 1, lineage: lineage.next(digestOfText(`${move.branch}`)), electorate };
          else call = { round: move.round, lineage: lineageAt(start, move.path), electorate };
          if (move.kind === "resync") muster.forgetRivals();
          muster.enter(call);
        }
        const twin = new Twin(call.electorate);
        twin.round = call.round;
        for (const c of come.filter(({ lineage }) => lineage.agrees(call.lineage))) {
          const { authorNumber: author, header } = c;
          twin.come.push({ kind: "header", author, round: header.round });
          if (passed.has(c)) twin.come.push({ kind: "passed", author, round: header.round });
        }
        expect(portraitOf(muster.turnout)).toEqual(twin.portrait());
      }
    }),
    {
      numRuns: 500,
      examples: [
        // Found by chance: back to an earlier round of the same history.
        [
          [0, 0, 0, 0],
          [
            { kind: "come", author: 0, round: 0, path: [] },
            { kind: "pass", which: 0 },
            { kind: "resync", round: 2, path: [], weights: [0, 0, 0, 0] },
            { kind: "resync", round: 0, path: [], weights: [0, 0, 0, 0] },
          ],
        ],
      ],
    },
  );
});
