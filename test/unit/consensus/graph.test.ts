import { describe, expect, test } from "vitest";
import {
  type Admission,
  ContributionGraph,
  type UnsignedHeader,
  batchSeed,
} from "../../../src/consensus/index.ts";
import { WAITING_MAX } from "../../../src/consensus/waiting.ts";
import { type ContributionId, DAG_CBOR, type PeerId, RAW, cidOf } from "../../../src/core/index.ts";
import { digestOfText, peerOf, runIdOf, runOf, textBytes } from "../../support/run-of.ts";
import { History, type Made } from "./support.ts";

type Change = (header: UnsignedHeader) => UnsignedHeader;

function codeOf(admission: Admission): string {
  return "code" in admission ? `${admission.kind} ${admission.code}` : admission.kind;
}

/** A history of two authors and `rounds` rounds, settled after 2; `next` offers ada's next contribution. */
function grown(rounds: number): { history: History; last: Made[]; next: (change: Change) => string } {
  const history = new History(runOf({ seed: "graph", rule: { settleDepth: 2, membersMax: 8 } }));
  let last: Made[] = [];
  for (let round = 0; round < rounds; round++) {
    last = ["ada", "bob"].map((name) => history.add(name, last));
  }
  const next = (change: Change): string => {
    const { id, header } = history.make("ada", last, { change });
    return codeOf(history.graph.add(id, header));
  };
  return { history, last, next };
}

describe("a header by itself", () => {
  const cases: [name: string, code: string, change: Change, rounds?: number][] = [
    ["of another run", "reject HEADER_OTHER_RUN", (h) => ({ ...h, run: runIdOf("other") })],
    ["of another phase", "ignore HEADER_OTHER_PHASE", (h) => ({ ...h, phase: 1 })],
    ["with too many steps", "reject HEADER_STEPS", (h) => withWork(h, { steps: 51, tokens: 5100 })],
    ["with other tokens than its steps have", "reject HEADER_TOKENS", (h) => withWork(h, { tokens: 999 })],
    [
      "with too large a delta",
      "reject HEADER_DELTA_BYTES",
      (h) => ({ ...h, delta: h.delta && { ...h.delta, bytes: 2 ** 21 } }),
    ],
    [
      "with batches of its own choice",
      "reject HEADER_DATA",
      (h) => withWork(h, { data: digestOfText("easy") }),
    ],
    [
      "with another settled round",
      "reject HEADER_SETTLED",
      (h) => ({ ...h, settled: { ...h.settled, round: 0 } }),
    ],
    ["with a round that is not its parents' next", "reject HEADER_SETTLED", (h) => ({ ...h, round: 9 })],
    [
      "of round 0 with another start of the phase",
      "reject HEADER_SETTLED",
      (h) => ({ ...h, settled: { round: 0, root: digestOfText("x") } }),
      0,
    ],
    ["of round 0 from other weights", "reject HEADER_START", (h) => ({ ...h, start: digestOfText("x") }), 0],
  ];
  test.each(cases)("F16: %s is %s", (_, code, change, rounds = 4) => {
    const { next } = grown(rounds);
    expect(next(change)).toBe(code);
    expect(next((h) => h)).toBe("added");
  });

  test("S10: of an author whom a closed run does not list is HEADER_OUTSIDER", () => {
    const open = new History(runOf({ seed: "graph" }));
    const [ada, eve] = ["ada", "eve"].map((name) => open.make(name, []));
    const authors = ada === undefined ? [] : [ada.header.author];
    const closed = new ContributionGraph(runOf({ seed: "graph", limits: { authors } }));
    expect([ada, eve].map((each) => each && codeOf(closed.add(each.id, each.header)))).toEqual([
      "added",
      "reject HEADER_OUTSIDER",
    ]);
  });

  test("F16: with more parents than members is HEADER_PARENTS", () => {
    const { history } = grown(1);
    const parents = Array.from({ length: 9 }, (_, i) => cidOf(textBytes(`${i}`), DAG_CBOR) as ContributionId);
    const { id, header } = history.make("cyd", [history.add("eve")], {
      change: (h) => ({ ...h, parents: parents.toSorted() }),
    });
    expect(codeOf(history.graph.add(id, header))).toBe("reject HEADER_PARENTS");
  });
});

describe("a header and its parents", () => {
  test("F16: parents of two rounds are HEADER_ROUND", () => {
    const { history, last } = grown(1);
    const [a0, b0] = last;
    const a1 = history.add("ada", [a0, b0]);
    const change: Change = (h) => ({ ...h, parents: [a1.id, b0.id].toSorted() });
    const { id, header } = history.make("bob", [a1], { change });
    expect(codeOf(history.graph.add(id, header))).toBe("reject HEADER_ROUND");
  });

  test("F16: parents of two settled histories are HEADER_SETTLED", () => {
    const { history, last } = grown(3);
    const other: Change = (h) => {
      const settled = { ...h.settled, root: digestOfText("fork") };
      return { ...h, settled, work: { ...h.work, data: batchSeed(settled.root, h.round, h.author) } };
    };
    const [a3, b3] = [history.add("ada", last), history.take(history.make("bob", last, { change: other }))];
    const { id, header } = history.make("cyd", [a3, b3]);
    expect(codeOf(history.graph.add(id, header))).toBe("reject HEADER_SETTLED");
  });

  test("F16: a lot that does not open the author's promise is HEADER_LOT", () => {
    const { next } = grown(2);
    expect(next((h) => ({ ...h, lot: { ...h.lot, reveal: digestOfText("guess") } }))).toBe(
      "reject HEADER_LOT",
    );
    expect(next((h) => ({ ...h, lot: { ...h.lot, reveal: null } }))).toBe("reject HEADER_LOT");
    expect(next((h) => h)).toBe("added");
  });

  test("F16: a state that does not go on where the author's stopped is HEADER_STATE; the empty one may always", () => {
    const { history, next } = grown(4);
    expect(next((h) => withWork(h, { stateBefore: digestOfText("borrowed") }))).toBe("reject HEADER_STATE");
    expect(next((h) => withWork(h, { stateBefore: history.options.zeroState }))).toBe("added");
  });

  test("a state may change when a round settles without the author's delta: it is in the residual again", () => {
    const history = new History(runOf({ seed: "excluded", rule: { settleDepth: 2 } }));
    const [a0, b0, c0] = ["ada", "bob", "cyd"].map((name) => history.add(name));
    // Only ada cites her own round 0, so it is not included.
    const first = [
      history.add("ada", [a0, b0, c0]),
      history.add("bob", [b0, c0]),
      history.add("cyd", [b0, c0]),
    ];
    const second = ["ada", "bob", "cyd"].map((name) => history.add(name, first));
    const change: Change = (h) => withWork(h, { stateBefore: digestOfText("with round 0") });
    const { id, header } = history.make("ada", second, { change });
    expect(codeOf(history.graph.add(id, header))).toBe("added");
    const bobs = history.make("bob", second, { change });
    expect(codeOf(history.graph.add(bobs.id, bobs.header))).toBe("reject HEADER_STATE");
  });
});

describe("equivocation", () => {
  test("F16: two contributions of one author and round are kept as proof, a third is AUTHOR_EQUIVOCATES", () => {
    const { history } = grown(0);
    const made = ["one", "two", "three"].map((variant) => history.make("ada", [], { variant }));
    expect(made.map(({ id, header }) => codeOf(history.graph.add(id, header)))).toEqual([
      "added",
      "added",
      "ignore AUTHOR_EQUIVOCATES",
    ]);
    expect(history.graph.round(0)).toHaveLength(2);
  });

  test("what somebody cites is let in all the same, so that history can always be linked", () => {
    const { history } = grown(0);
    history.add("ada", [], { variant: "one" });
    history.add("ada", [], { variant: "two" });
    const third = history.make("ada", [], { variant: "three" });
    const citing = history.make("bob", [third]);
    expect(codeOf(history.graph.add(third.id, third.header))).toBe("ignore AUTHOR_EQUIVOCATES");
    expect(codeOf(history.graph.add(citing.id, citing.header))).toBe("waiting");
    expect(codeOf(history.graph.add(third.id, third.header))).toBe("added");
    expect(history.graph.get(citing.id)).toBeDefined();
  });

  test("free keys do not fill a round without end", () => {
    const { history } = grown(0);
    const codes = Array.from({ length: 40 }, (_, i) => {
      const { id, header } = history.make(`key ${i}`, []);
      return codeOf(history.graph.add(id, header));
    });
    expect(codes.filter((code) => code === "added")).toHaveLength(32);
    expect(new Set(codes.slice(32))).toEqual(new Set(["ignore ROUND_FULL"]));
  });

  test("R5 there is room for who is known in a full round, and for nobody too far ahead", () => {
    const { history } = grown(0);
    for (let i = 0; i < 32; i++) history.add(`key ${i}`);
    const [known, stranger] = ["ada", "bob"].map((name) => history.make(name, []));
    const room = { isKnown: (author: PeerId) => author === peerOf("ada"), roundMax: 0, roundMaxKnown: 0 };
    expect(codeOf(history.graph.add(stranger.id, stranger.header, room))).toBe("ignore ROUND_FULL");
    expect(codeOf(history.graph.add(known.id, known.header, room))).toBe("added");
    const next = history.make("ada", [known]);
    expect(codeOf(history.graph.add(next.id, next.header, room))).toBe("ignore ROUND_AHEAD");
    expect(codeOf(history.graph.add(next.id, next.header, { ...room, roundMaxKnown: 1 }))).toBe("added");
  });

  test("R5 a queued flood does not fill a round when its parent arrives", () => {
    const { history, last } = grown(0);
    expect(last).toEqual([]);
    const parent = history.make("ada", []);
    for (let i = 0; i < 40; i++) {
      const { id, header } = history.make(`key ${i}`, [parent]);
      expect(codeOf(history.graph.add(id, header))).toBe("waiting");
    }
    history.take(parent);
    expect(history.graph.round(1)).toHaveLength(32);
    expect(history.graph.waitingCount).toBe(0);
  });
});

describe("headers that come before their parents", () => {
  test("F16: are queued, not punished, and linked when the last parent arrives", () => {
    const { history } = grown(5);
    const all = Array.from({ length: 5 }, (_, round) => history.graph.round(round)).flat();
    const graph = new ContributionGraph(history.options);
    const [first, ...rest] = all;
    for (const { id, header } of rest.toReversed()) {
      const admission = graph.add(id, header);
      expect(codeOf(admission)).toBe(header.round === 0 ? "added" : "waiting");
    }
    expect(graph.missing()).toEqual([first.id]);
    expect(graph.get(rest[4].id)).toBeUndefined();
    const admission = graph.add(first.id, first.header);
    expect(admission.kind === "added" && admission.contributions.map(({ id }) => id).toSorted()).toEqual(
      all
        .filter(({ id, header }) => header.round > 0 || id === first.id)
        .map(({ id }) => id)
        .toSorted(),
    );
    expect(graph.missing()).toEqual([]);
  });

  test("what is known is HEADER_KNOWN, linked or queued", () => {
    const { history, last } = grown(2);
    const [{ id, header }] = last;
    expect(codeOf(history.graph.add(id, header))).toBe("ignore HEADER_KNOWN");
    const graph = new ContributionGraph(history.options);
    graph.add(id, header);
    expect(graph.has(id)).toBe(true);
    expect(codeOf(graph.add(id, header))).toBe("ignore HEADER_KNOWN");
  });

  test("a queued header that does not fit its parents is dropped when they arrive", () => {
    const { history, last } = grown(1);
    const bad = history.make("ada", last, { change: (h) => ({ ...h, lot: { ...h.lot, reveal: null } }) });
    const child = history.make("bob", [bad]);
    const graph = new ContributionGraph(history.options);
    for (const { id, header } of [child, bad, ...last]) graph.add(id, header);
    expect(graph.roundsCount).toBe(1);
    expect([graph.has(bad.id), graph.has(child.id)]).toEqual([false, false]);
    expect(graph.missing()).toEqual([]);
  });

  test("who cites what is refused is no longer waited for", () => {
    const { history, last } = grown(1);
    const bad = history.make("ada", last, { change: (h) => withWork(h, { tokens: 1 }) });
    const child = history.make("bob", [bad]);
    const grandchild = history.make("bob", [child]);
    for (const { id, header } of [child, grandchild])
      expect(codeOf(history.graph.add(id, header))).toBe("waiting");
    expect(codeOf(history.graph.add(bad.id, bad.header))).toBe("reject HEADER_TOKENS");
    expect(history.graph.missing()).toEqual([]);
    expect(history.graph.has(grandchild.id)).toBe(false);
  });

  test("F16: the queue is bounded; the oldest gives way, and history comes in all the same", () => {
    const { history, last } = grown(1);
    const template = history.make("ada", last).header;
    const idOfJunk = (i: number, kind: string): ContributionId =>
      cidOf(textBytes(`${kind} ${i}`), RAW) as ContributionId;
    for (let i = 0; i < 2 * WAITING_MAX; i++) {
      history.graph.add(idOfJunk(i, "junk"), { ...template, parents: [idOfJunk(i, "parent")] });
    }
    expect(history.graph.missing()).toHaveLength(WAITING_MAX);
    expect(history.graph.has(idOfJunk(WAITING_MAX - 1, "junk"))).toBe(false);
    expect(history.graph.has(idOfJunk(WAITING_MAX, "junk"))).toBe(true);
    const late = history.make("cyd", []);
    const child = history.make("dee", [late]);
    expect(codeOf(history.graph.add(child.id, child.header))).toBe("waiting");
    expect(codeOf(history.graph.add(late.id, late.header))).toBe("added");
    expect(history.graph.get(child.id)).toBeDefined();
  });
});

function withWork(header: UnsignedHeader, change: Partial<UnsignedHeader["work"]>): UnsignedHeader {
  return { ...header, work: { ...header.work, ...change } };
}
