/** The turnout counts as things come in; its slow twin goes through everything that ever came each time it is asked. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Electorate, isHalf, without } from "../../../src/consensus/electorate.ts";
import { Turnout } from "../../../src/consensus/turnout.ts";
import type { PeerId } from "../../../src/core/index.ts";
import { peerOf } from "../../support/run-of.ts";

const PEERS = ["ada", "bob", "cyd", "dan"].map(peerOf);
const [SELF] = PEERS;

interface Come {
  readonly kind: "header" | "passed";
  readonly author: PeerId;
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
    return [others("passed", round), others("passed", round + 1), others("header", round + 1), alone, all];
  }

  #authors(kind: Come["kind"], isIn: (round: number) => boolean): Set<PeerId> {
    return new Set(this.come.filter((c) => c.kind === kind && isIn(c.round)).map(({ author }) => author));
  }

  #weight(authors: ReadonlySet<PeerId>): number {
    return [...authors].reduce((sum, author) => sum + this.electorate.weightOf(author), 0);
  }
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

test("what was counted as it came equals what going through all of it gives", () => {
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
          else turnout.takePassed(event.author, event.round);
        }
        expect([
          turnout.isHalfHere,
          turnout.isHalfLater,
          turnout.isOutrun,
          [turnout.hasTwoThirds(false), turnout.hasAll(false)],
          [turnout.hasTwoThirds(true), turnout.hasAll(true)],
        ]).toEqual(twin.portrait());
      }
    }),
    { numRuns: 500 },
  );
});
