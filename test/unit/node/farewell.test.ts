/** N2: when a node that leaves may go. */
import { beforeEach, expect, test } from "vitest";
import type { Contribution, Machine } from "../../../src/consensus/index.ts";
import type { PeerId } from "../../../src/core/index.ts";
import { Gate } from "../../../src/node/idle/gate.ts";
import { type FarewellDeps, farewell } from "../../../src/node/round/farewell.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const SELF = "self" as PeerId;
const OTHER = "other" as PeerId;

/** What history looks like from here; `tell` says that it has changed. */
class Seen {
  round = 3;
  stage: Machine["stage"] = "collecting";
  lastOwn: Contribution | undefined;
  readonly #rounds = new Map<number, Contribution[]>();
  readonly graph: FarewellDeps["machine"]["graph"] = { round: (round) => this.#rounds.get(round) ?? [] };

  add(author: PeerId, round: number, parents: readonly Contribution[] = []): Contribution {
    const header = { author, round, parents: parents.map(({ id }) => id) };
    const added = { id: `${author}/${round}`, header } as unknown as Contribution;
    this.#rounds.set(round, [...this.graph.round(round), added]);
    if (author === SELF) this.lastOwn = added;
    return added;
  }
}

let seen: Seen;
let gate: Gate;
let tell: () => void;
let hasGone: boolean;

beforeEach(() => {
  seen = new Seen();
  gate = new Gate();
  hasGone = false;
});

/** Leaves, and looks at what has become of it after each change. */
function leave(): () => Promise<void> {
  const listeners = new Set<() => void>();
  tell = () => listeners.forEach((listener) => listener());
  const leaving = farewell("cited", {
    machine: seen,
    self: SELF,
    gate,
    clock: new ManualClock(),
    signal: new AbortController().signal,
    isTraining: () => false,
    peersCount: () => 1,
    onChange: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  });
  void leaving.then(() => (hasGone = true));
  return async () => {
    tell();
    await new Promise(setImmediate);
  };
}

test("N2 leave: the node trains no more, and goes once somebody cites what it gave last", async () => {
  const own = seen.add(SELF, 3);
  const look = leave();
  await look();
  expect([gate.why, hasGone]).toEqual(["leaving", false]);
  seen.add(OTHER, 4, [own]);
  await look();
  expect(hasGone).toBe(true);
});

test("N2 leave: where the others went on without what it gave last, it gives one more", async () => {
  const late = seen.add(SELF, 3);
  const look = leave();
  const theirs = seen.add(OTHER, 4);
  await look();
  expect(gate.why, "somebody may still cite it").toBe("leaving");
  seen.add(OTHER, 5, [theirs]);
  await look();
  expect([gate.why, hasGone]).toEqual([null, false]);

  const again = seen.add(SELF, 6, [late]);
  await look();
  expect([gate.why, hasGone]).toEqual(["leaving", false]);
  seen.add(OTHER, 7, [again]);
  await look();
  expect(hasGone).toBe(true);
});

test("N2 leave: a paused node whose last contribution came too late goes without another", async () => {
  seen.add(SELF, 3);
  gate.close("paused");
  const look = leave();
  seen.add(OTHER, 5, [seen.add(OTHER, 4)]);
  await look();
  expect(hasGone).toBe(true);
});

test("N2 leave: whoever has finished the run goes at once", async () => {
  seen.add(SELF, 3);
  seen.stage = "finished";
  await leave()();
  expect(hasGone).toBe(true);
});
