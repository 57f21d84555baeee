import { expect, test } from "vitest";
import {
  type Draft,
  type Effect,
  type Event,
  Machine,
  type PhaseLimits,
  encodeHeader,
} from "../../../src/consensus/index.ts";
import { type Digest, RAW, assert, cidOf, digestFromBytes, digestOf } from "../../../src/core/index.ts";
import { digestOfText, peerOf, runOf, textBytes } from "../../support/run-of.ts";
import { History, type Made, parsed, secretOf } from "./support.ts";

type Kind = Effect["kind"];
type EffectOf<K extends Kind> = Extract<Effect, { kind: K }>;
type Timeless<E> = E extends unknown ? Omit<E, "nowMs"> : never;

/** ada's machine among the founders ada, bob and cyd; `history` makes what the other two publish. */
class Table {
  readonly history: History;
  readonly machine: Machine;
  readonly effects: Effect[] = [];
  nowMs = 0;

  constructor(limits: Partial<PhaseLimits> = {}) {
    const options = runOf({ seed: "table", founders: ["ada", "bob", "cyd"].map(peerOf), limits });
    this.history = new History(options);
    this.machine = new Machine({ ...options, self: peerOf("ada") });
    this.give({ kind: "begin" });
  }

  give(event: Timeless<Event>): void {
    this.effects.push(...this.machine.handle({ ...event, nowMs: this.nowMs } as Event));
  }

  last<K extends Kind>(kind: K): EffectOf<K> | undefined {
    return this.effects.findLast((effect): effect is EffectOf<K> => effect.kind === kind);
  }

  header(made: Made): void {
    this.give({ kind: "header", ...made });
  }

  /** Folds and trains what the machine asks for, as far as the end of training. */
  work(steps = 10): void {
    const { round } = this.machine;
    this.give({ kind: "folded", round, settledWeights: this.#start() });
    const norm = 1000;
    const delta = steps === 0 ? null : { cid: cidOf(textBytes(`ada ${round}`), RAW), bytes: 9, norm };
    const state = { stateBefore: this.#stateBefore(), stateAfter: digestOfText(`state ${round}`) };
    const work = { steps, tokens: steps * 100, lossFirst: null, lossLast: null, engine: "test", ...state };
    this.give({ kind: "trained", round, result: { start: this.#start(), delta, work } });
  }

  /** Signs and publishes the last draft. */
  publish(): Made {
    const draft = this.last("publish")?.draft;
    assert(draft !== undefined, "there is a draft");
    const made = sign(draft);
    this.history.take(made);
    this.header(made);
    return made;
  }

  #start(): Digest {
    return this.machine.round === 0 ? this.history.options.startRoot : digestOfText("weights");
  }

  #stateBefore(): Digest {
    const own = this.machine.graph.of(peerOf("ada")).at(-1);
    return own?.header.work.stateAfter ?? this.history.options.zeroState;
  }
}

function sign({ previous, ...draft }: Draft): Made {
  const reveal = previous === undefined ? null : digestFromBytes(secretOf("ada", previous.header.round));
  const lot = { reveal, next: digestOf(secretOf("ada", draft.round)) };
  return parsed(encodeHeader({ ...draft, lot }, new Uint8Array(64)).bytes);
}

/** Rounds 0 and 1 by all three; ada's gates find cyd's first delta as told, bob and cyd cite all. */
function twoRounds(cyds: { passed: boolean; foldable?: boolean }): { table: Table; c0: Made } {
  const table = new Table();
  table.work();
  const a0 = table.publish();
  const [b0, c0] = ["bob", "cyd"].map((name) => table.history.add(name));
  table.header(b0);
  table.give({ kind: "body", id: b0.id, passed: true });
  table.header(c0);
  table.give({ kind: "body", id: c0.id, ...cyds });
  for (const name of ["bob", "cyd"]) {
    const made = table.history.add(name, [a0, b0, c0]);
    table.header(made);
    table.give({ kind: "body", id: made.id, passed: true });
  }
  table.work();
  const { parents } = table.publish().header;
  expect(parents).toEqual([a0.id, b0.id].toSorted());
  expect(table.machine.round).toBe(2);
  return { table, c0 };
}

test("what our gates refused is not cited by us, but folded when the others included it", () => {
  const { table, c0 } = twoRounds({ passed: false, foldable: true });
  expect(table.machine.view.included(0).map(({ id }) => id)).toContain(c0.id);
  const folded = table.last("fold")?.plan.rounds[0].terms.map(({ id }) => id);
  expect(folded).toContain(c0.id);
});

test("E4: what the gates have yet to judge is waited for; what they refuse after all is not cited", () => {
  const table = new Table();
  table.work();
  const a0 = table.publish();
  const [b0, c0] = ["bob", "cyd"].map((name) => table.history.add(name)) as unknown as [Made, Made];
  for (const made of [b0, c0]) {
    table.header(made);
    table.give({ kind: "body", id: made.id, passed: null });
  }
  expect([table.machine.stage, table.machine.round]).toEqual(["collecting", 0]);
  table.give({ kind: "body", id: b0.id, passed: true });
  expect(table.machine.round).toBe(0);
  table.give({ kind: "body", id: c0.id, passed: false, foldable: true });
  expect(table.machine.round).toBe(1);
  expect(table.machine.view.parentIds).toEqual([a0.id, b0.id].toSorted());
});

test("E4: half of the weight hurries us before the gates have judged it", () => {
  const table = new Table();
  table.give({ kind: "folded", round: 0, settledWeights: digestOfText("w") });
  for (const name of ["bob", "cyd"]) {
    const made = table.history.add(name);
    table.header(made);
    table.give({ kind: "body", id: made.id, passed: null });
  }
  expect(table.last("hurry")?.round).toBe(0);
});

test("what cannot be folded is not guessed: the machine pulls and waits", () => {
  const { table, c0 } = twoRounds({ passed: false });
  expect(table.machine.stage).toBe("waiting");
  expect(table.last("fold")?.plan.round).toBe(1);
  expect(table.last("pull")?.contribution.id).toBe(c0.id);
  table.give({ kind: "body", id: c0.id, passed: true });
  expect(table.machine.stage).toBe("folding");
});

test("our own contribution of the round coming back to us, after a crash, replaces a second one", () => {
  const table = new Table();
  const earlier = table.history.make("ada", []);
  table.header(earlier);
  table.work();
  expect(table.last("publish")).toBeUndefined();
  expect(table.machine.stage).toBe("collecting");
});

test("S3 S5 who is outrun while it folds does not train in an old round, and goes on as soon as the bodies are here", () => {
  const table = new Table();
  const zero = ["bob", "cyd"].map((name) => table.history.add(name));
  const one = ["bob", "cyd"].map((name) => table.history.add(name, zero));
  for (const made of [...zero, ...one]) table.header(made);
  table.give({ kind: "folded", round: 0, settledWeights: digestOfText("w") });
  expect(table.last("train")).toBeUndefined();
  expect([table.machine.stage, table.machine.round]).toEqual(["collecting", 0]);
  for (const { id } of [...zero, ...one]) table.give({ kind: "body", id, passed: true });
  expect([table.machine.stage, table.machine.round]).toEqual(["folding", 1]);
  table.give({ kind: "folded", round: 1, settledWeights: digestOfText("w") });
  expect(table.last("train")?.order.round).toBe(1);
});

test("S5 who is left far behind still hears of now, from those who weigh something; strangers may be 64 rounds ahead", () => {
  const table = new Table();
  let round: Made[] = [];
  for (let r = 0; r <= 100; r++) {
    const before = round;
    round = ["bob", "cyd"].map((name) => table.history.add(name, before));
    for (const made of round) table.header(made);
  }
  expect([table.machine.round, table.machine.graph.roundsCount]).toEqual([0, 101]);
  table.header(table.history.add("eve", round));
  expect(table.last("refuse")?.why.code).toBe("ROUND_AHEAD");
});

test("S5 a round that patience has ended is told of before the next is folded; one that the others came to is not", () => {
  const table = new Table();
  table.work();
  const a0 = table.publish();
  const others = ["bob", "cyd"].map((name) => table.history.add(name));
  for (const made of others) {
    table.header(made);
    table.give({ kind: "body", id: made.id, passed: true });
  }
  expect([table.machine.round, table.last("overdue")]).toEqual([1, undefined]);
  table.work();
  const a1 = table.publish();
  expect(a1.header.parents).toContain(a0.id);
  expect(table.last("overdue")).toBeUndefined();
  table.nowMs = table.last("wake")?.atMs ?? 0;
  table.effects.splice(0);
  table.give({ kind: "tick" });
  expect(table.effects.map(({ kind }) => kind)).toEqual(["overdue", "fold"]);
  expect(table.last("overdue")?.round).toBe(1);
});

test("half of the weight hurries us once; a third does not", () => {
  const table = new Table();
  table.give({
    kind: "folded",
    round: 0,
    settledWeights: digestOfText("w"),
  });
  const [b0, c0] = ["bob", "cyd"].map((name) => table.history.add(name));
  table.header(b0);
  table.give({ kind: "body", id: b0.id, passed: true });
  expect(table.last("hurry")).toBeUndefined();
  table.header(c0);
  expect(table.last("hurry")).toBeUndefined();
  table.give({ kind: "body", id: c0.id, passed: true });
  table.give({ kind: "tick" });
  expect(table.effects.filter(({ kind }) => kind === "hurry")).toHaveLength(1);
});

test("after the budget is reached we close, and do not cite whoever trains on", () => {
  const table = new Table({ tokensBudget: 1 });
  table.work();
  const a0 = table.publish();
  const first = [a0, ...["bob", "cyd"].map((name) => table.history.add(name))];
  for (const made of first.slice(1)) {
    table.header(made);
    table.give({ kind: "body", id: made.id, passed: true });
  }
  table.work(0);
  expect(table.last("train")?.order.closing).toBe(true);
  const a1 = table.publish();
  const b1 = table.history.add("bob", first, { steps: 0 });
  const c1 = table.history.add("cyd", first, { steps: 10 });
  table.header(c1);
  table.give({ kind: "body", id: c1.id, passed: true });
  table.header(b1);
  expect(table.machine.round).toBe(2);
  expect(table.machine.view.parents.map(({ id }) => id)).toEqual([a1.id, b1.id].toSorted());
});
