/**
 * history.json: a made-up history in which authors come late, hear only some of the others and once equivocate; and what
 * is included, anchored and weighed as seen from some sets of parents.
 */
import { Commons, type Contribution, type GraphOptions } from "../../../src/consensus/index.ts";
import { SeededRandom } from "../../../src/core/index.ts";
import { peerOf, runOf } from "../../support/run-of.ts";
import { History } from "../../unit/consensus/support.ts";

export interface HistoryVector {
  name: string;
  run: string;
  phase: number;
  settleDepth: number;
  weightWindow: number;
  founders: string[];
  /** Without a delta: a closing contribution. */
  contributions: {
    id: string;
    author: string;
    round: number;
    /** Indices into this list. */
    parents: number[];
    /** Indices into this list: pairs of one author, round and history. */
    evidence: number[];
    tokens: number;
    /** Without a delta: a closing contribution. */
    trained: boolean;
  }[];
  views: ViewVector[];
}

interface ViewVector {
  round: number;
  /** P, before authors who are in it twice fall out; contributions are named by their index. */
  parents: number[];
  /** S(r) for r = 0 .. round-1. */
  included: number[][];
  anchor: number | null;
  /** Voting weights in decisions of this round. */
  voters: Record<string, number>;
  settledRound: number;
  /** The table that the settled root of this round commits to. */
  table: Record<string, number>;
  includedTokens: number;
}

const NAMES = ["ada", "bob", "cyd", "dan", "eve", "fay", "gus"];
const ROUNDS = 12;

export function historyVectors(): HistoryVector[] {
  return [
    historyOf("no founders", [], { hears: 0.8, settleDepth: 4 }),
    historyOf("two founders", ["bob", "eve"], { hears: 0.8, settleDepth: 4 }),
    historyOf("hardly anybody hears anybody", [], { hears: 0.5, settleDepth: 7 }),
    // The parents disagree on the round that newly settles: it is the anchor's.
    historyOf("a round that settles late 26", [], { hears: 0.7, settleDepth: 4 }),
  ];
}

function historyOf(
  name: string,
  founders: string[],
  { hears, settleDepth }: { hears: number; settleDepth: number },
): HistoryVector {
  const rule = { settleDepth, weightWindow: 3 };
  const history = new History(runOf({ seed: name, rule, founders: founders.map(peerOf) }));
  const { options } = history;
  const random = new SeededRandom(name);
  const all: Contribution[] = [];
  const views: ViewVector[] = [];
  let last: Contribution[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const seen = (): Contribution[] => {
      const heard = last.filter(() => random.unit() < hears);
      return heard.length > 0 || round === 0 ? heard : last.slice(0, 1);
    };
    if (round > 0) {
      views.push(viewOf(options, all, last), viewOf(options, all, seen()));
      assertSettledAlike(last);
    }
    const next: Contribution[] = [];
    const equivocal = last.filter(({ header }) => header.author === peerOf("fay"));
    const fays = equivocal.length === 2 ? equivocal : [];
    for (const author of NAMES) {
      const isHere = author === "ada" || ((author !== "gus" || round > 4) && random.unit() < 0.85);
      if (!isHere) continue;
      const steps = random.below(6) === 0 ? 0 : 1 + random.below(50);
      // Who hears both of fay's says so.
      const evidence = round === 6 && author !== "fay" ? fays.map(({ id }) => id).toSorted() : [];
      next.push(history.add(author, seen(), { steps, change: (h) => ({ ...h, evidence }) }));
      if (author === "fay" && round === 5)
        next.push(history.add(author, seen(), { steps, variant: "again" }));
    }
    all.push(...next);
    // Of these parents nobody is left.
    const twice = next.filter(({ header }) => round === 5 && header.author === peerOf("fay"));
    if (twice.length === 2) views.push(viewOf(options, all, twice));
    last = next;
  }
  const { run, phase } = options;
  return {
    name,
    run,
    phase,
    ...rule,
    founders: founders.map(peerOf),
    contributions: all.map(({ id, header: h }) => ({
      id,
      author: h.author,
      round: h.round,
      parents: h.parents.map((parent) => all.findIndex((c) => c.id === parent)),
      evidence: h.evidence.map((proof) => all.findIndex((c) => c.id === proof)),
      tokens: h.work.tokens,
      trained: h.delta !== null,
    })),
    views,
  };
}

function viewOf(
  options: GraphOptions,
  all: readonly Contribution[],
  parents: readonly Contribution[],
): ViewVector {
  const view = new Commons(options).view(parents[0].header.round + 1, parents);
  const indicesOf = (contributions: readonly Contribution[]): number[] =>
    contributions.map((c) => all.indexOf(c));
  const anchor = view.anchor();
  return {
    round: view.round,
    parents: indicesOf(parents),
    included: Array.from({ length: view.round }, (_, r) => indicesOf(view.included(r))),
    anchor: anchor === undefined ? null : all.indexOf(anchor),
    voters: Object.fromEntries(view.voters()),
    settledRound: view.settledRound,
    table: Object.fromEntries(view.tableAt(view.settledRound)),
    includedTokens: view.includedTokens(),
  };
}

/** Contributions that settled different sets name different settled roots and could not be cited together. */
function assertSettledAlike([first, ...others]: readonly Contribution[]): void {
  for (let r = 0; r < first.view.settledRound; r++) {
    const expected = first.view.included(r);
    for (const { view } of others) {
      const included = view.included(r);
      const isAlike = included.length === expected.length && included.every((c, i) => c === expected[i]);
      if (!isAlike) throw new Error(`round ${r} settled differently`);
    }
  }
}
