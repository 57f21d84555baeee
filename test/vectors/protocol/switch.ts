/** switch.json: who names a successor in which round, and the settled round at which it is carried as seen from each round. */
import { Support } from "../../../src/consensus/support.ts";
import { type Contribution, Commons } from "../../../src/consensus/index.ts";
import { type Cid, RAW, SeededRandom, cidOf } from "../../../src/core/index.ts";
import { peerOf, runOf } from "../../support/run-of.ts";
import { History } from "../../unit/consensus/support.ts";

export interface SwitchVector {
  name: string;
  run: string;
  phase: number;
  settleDepth: number;
  weightWindow: number;
  founders: string[];
  proposals: Cid[];
  contributions: {
    id: string;
    author: string;
    round: number;
    /** Indices into this list. */
    parents: number[];
    tokens: number;
    trained: boolean;
    supports: Cid | null;
  }[];
  /** `carried`: T of each proposal in the view whose parents are all of round - 1; null: not carried yet. */
  views: { round: number; carried: (number | null)[] }[];
}

const NAMES = ["ada", "bob", "cyd", "dan"];
const ROUNDS = 18;
const [NEXT, OTHER] = ["next", "other"].map((text) => cidOf(new TextEncoder().encode(text), RAW)) as [
  Cid,
  Cid,
];

export function switchVectors(): SwitchVector[] {
  return [
    // Three of four equal ones from round 4 on.
    switchOf("carried", [], (name, round) => (name !== "dan" && round >= 4 ? NEXT : null)),
    // Two thirds in too few rounds in a row, then in enough.
    switchOf("interrupted", [], (name, round) =>
      name !== "dan" && round >= 5 && round !== 6 && round !== 8 ? NEXT : null,
    ),
    // Before any round has settled founders vote, and cyd and dan don't.
    switchOf("by founders", ["ada", "bob"], (name, round) => (name < "c" && round < 4 ? NEXT : null)),
    // One wanders off to another proposal; neither has two thirds then.
    switchOf("torn", [], (name, round) =>
      name < "c" ? NEXT : round < 9 ? OTHER : name === "cyd" ? NEXT : null,
    ),
  ];
}

function switchOf(
  name: string,
  founders: string[],
  supports: (name: string, round: number) => Cid | null,
): SwitchVector {
  const rule = { settleDepth: 3, weightWindow: 5 };
  const history = new History(runOf({ seed: name, rule, founders: founders.map(peerOf) }));
  const { options } = history;
  const random = new SeededRandom(name);
  const all: Contribution[] = [];
  const views: SwitchVector["views"] = [];
  let last: Contribution[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    if (round > 0) {
      const view = new Commons(options).view(round, last);
      const carried = [NEXT, OTHER].map((proposal) => new Support().carriedAt(view, proposal) ?? null);
      views.push({ round, carried });
    }
    last = NAMES.map((author) => {
      const steps = 8 + random.below(8);
      const change = <H extends object>(header: H): H => ({ ...header, supports: supports(author, round) });
      return history.add(author, last, { steps, change });
    });
    all.push(...last);
  }
  return {
    name,
    run: options.run,
    phase: options.phase,
    ...rule,
    founders: founders.map(peerOf),
    proposals: [NEXT, OTHER],
    contributions: all.map(({ id, header: h }) => ({
      id,
      author: h.author,
      round: h.round,
      parents: h.parents.map((parent) => all.findIndex((c) => c.id === parent)),
      tokens: h.work.tokens,
      trained: h.delta !== null,
      supports: h.supports,
    })),
    views,
  };
}
