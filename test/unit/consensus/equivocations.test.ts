/** Two contributions of one turn are a proof; nothing else is. */
import { describe, expect, test } from "vitest";
import { Equivocations } from "../../../src/consensus/equivocations.ts";
import type { Contribution } from "../../../src/consensus/index.ts";
import { peerOf, runOf } from "../../support/run-of.ts";
import { History, type Made } from "./support.ts";

function twoOfCyd(): { history: History; zero: Contribution[]; cyds: Contribution[] } {
  const history = new History(runOf({ seed: "proofs", rule: { settleDepth: 2, weightWindow: 8 } }));
  const zero = ["ada", "bob"].map((name) => history.add(name));
  const cyds = ["one", "two"].map((variant) => history.add("cyd", [], { variant }));
  return { history, zero: [...zero, cyds[0]], cyds };
}

function naming(history: History, parents: readonly Made[], proofs: readonly Made[]): Made {
  const evidence = proofs.map(({ id }) => id).toSorted();
  return history.make("ada", parents, { change: (h) => ({ ...h, evidence }) });
}

describe("evidence", () => {
  test("R5 of two contributions of one author and round convicts the author", () => {
    const { history, zero, cyds } = twoOfCyd();
    expect(history.take(naming(history, zero, cyds)).convicts).toEqual([peerOf("cyd")]);
  });

  test.each([
    ["one contribution alone", (zero: Made[]) => zero.slice(0, 1)],
    ["two authors", (zero: Made[]) => zero.slice(0, 2)],
    ["a pair and one more", (zero: Made[], cyds: Made[]) => [...cyds, zero[0]]],
  ])("R5 of %s proves nothing and is refused", (_, proofsOf) => {
    const { history, zero, cyds } = twoOfCyd();
    const { id, header } = naming(history, zero, proofsOf(zero, cyds));
    expect(history.graph.add(id, header)).toMatchObject({ kind: "reject", code: "HEADER_EVIDENCE" });
  });

  test("R5 of a round that has settled comes too late", () => {
    const { history, zero, cyds } = twoOfCyd();
    let last: Contribution[] = zero;
    for (let round = 1; round < 4; round++) last = ["ada", "bob"].map((name) => history.add(name, last));
    const { id, header } = naming(history, last, cyds);
    expect(header.settled.round).toBe(2);
    expect(history.graph.add(id, header)).toMatchObject({ kind: "reject", code: "HEADER_EVIDENCE" });
  });

  test("R5 that we lack is waited for like a parent", () => {
    const { history, zero, cyds } = twoOfCyd();
    const made = naming(history, zero, cyds);
    const other = new History(history.options);
    for (const parent of zero) other.take(parent);
    expect(other.graph.add(made.id, made.header)).toEqual({ kind: "waiting", missing: [cyds[1].id] });
    expect(other.graph.add(cyds[1].id, cyds[1].header)).toMatchObject({ kind: "added" });
    expect(other.graph.get(made.id)?.convicts).toEqual([peerOf("cyd")]);
  });

  test("R5 takes the author's weight when what names it has settled, and not before", () => {
    const { history, zero, cyds } = twoOfCyd();
    const proof = history.take(naming(history, zero, cyds));
    let last = [...["bob", "cyd"].map((name) => history.add(name, zero)), proof];
    const weights: number[] = [];
    for (let round = 2; round < 7; round++) {
      last = ["ada", "bob"].map((name) => history.add(name, last));
      weights.push(
        history.graph
          .view(round + 1, last)
          .tableAt(round - 1)
          .get(peerOf("cyd")) ?? 0,
      );
    }
    // Table 1 has round 0, table 2 the conviction of round 1.
    expect(weights).toEqual([1000, 0, 0, 0, 0]);
  });
});

test("R5 a proof is named until an included contribution has named it", () => {
  const { history, zero, cyds } = twoOfCyd();
  const proofs = new Equivocations();
  proofs.take(cyds[0], cyds[1]);
  const open = history.graph.view(1, zero);
  expect(proofs.evidence(open)).toEqual(cyds.map(({ id }) => id).toSorted());
  const named = history.take(naming(history, zero, cyds));
  expect(proofs.evidence(history.graph.view(2, [named]))).toEqual([]);
});
