/** A node that comes back goes on from its own settled state; a damaged one is found and had anew. By real nodes. */
import { readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { type NodeStatus, type StarlingNode } from "../../src/node/index.ts";
import type { Recorder } from "../../src/node/round/loop.ts";
import { type Effect, type Event, parseHeader } from "../../src/consensus/index.ts";
import { silentLog } from "../../src/core/index.ts";
import { BODIES_KEPT_ROUNDS } from "../../src/node/disk/retention.ts";
import { openCheckpoints, openStore } from "../../src/storage/index.ts";
import { Flock, until } from "../support/nodes.ts";

const flock = await Flock.create({
  textPath: new URL("../../README.md", import.meta.url).pathname,
  startPeers: 3,
  rounds: 10_000,
  change: (manifest) => ({
    ...manifest,
    phases: manifest.phases.map((phase) => ({ ...phase, rule: { ...phase.rule, settleDepth: 2 } })),
  }),
});
await flock.startAll(3);
afterAll(() => flock[Symbol.asyncDispose]());

class Record implements Recorder {
  readonly events: Event[] = [];
  readonly effects: Effect[] = [];
  begin(): void {}
  event(event: Event, effects: readonly Effect[]): void {
    this.events.push(event);
    this.effects.push(...effects);
  }

  get foothold(): number | undefined {
    return this.events.find((event) => event.kind === "foothold")?.state.round;
  }

  get firstPulled(): number {
    return Math.min(...this.effects.flatMap((e) => (e.kind === "pull" ? [e.contribution.header.round] : [])));
  }
}

const settledRound = ({ settled }: NodeStatus): number => settled?.round ?? 0;
const checkpointsOf = (index: number): string => join(flock.dataDir(index), "checkpoints");

/** Stops a node that has two checkpoints, changes its folder, and starts it again; with the round that it had settled. */
async function restarted(
  index: number,
  change: () => Promise<void> = async () => undefined,
): Promise<{ node: StarlingNode; record: Record; before: NodeStatus }> {
  const old = flock.nodes[index] as StarlingNode;
  const before = await until(old, (status) => settledRound(status) >= 20, "two checkpoints");
  await old.stop();
  await change();
  const record = new Record();
  return { node: await flock.start(index, { recorder: record }), record, before };
}

/** That it works on, in the same history as node 0. */
async function expectToGoOn(node: StarlingNode, before: NodeStatus): Promise<void> {
  const isOn = (status: NodeStatus): boolean => settledRound(status) > settledRound(before) + 4;
  await until(node, isOn, "rounds after the restart");
  const roots = new Map<number, Set<string>>();
  const note = (each: StarlingNode) => (): void => {
    const { settled } = each.status();
    if (settled) roots.set(settled.round, (roots.get(settled.round) ?? new Set()).add(settled.root));
  };
  const first = flock.nodes[0] as StarlingNode;
  const leave = [first, node].map((each) => each.onChange(note(each)));
  const target = Math.max(settledRound(first.status()), settledRound(node.status())) + 3;
  await Promise.all(
    [first, node].map((each) => until(each, (status) => settledRound(status) >= target, "three rounds more")),
  );
  for (const each of leave) each();
  for (const [, each] of roots) expect(each.size).toBe(1);
}

async function flipByte(path: string): Promise<void> {
  const bytes = await readFile(path);
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1;
  await writeFile(path, bytes);
}

test("S4 a node that comes back folds from its own settled state, not from the start of the run", async () => {
  const { node, record, before } = await restarted(1);
  await expectToGoOn(node, before);
  expect(record.foothold).toBeGreaterThanOrEqual(16);
  expect(record.firstPulled).toBeGreaterThanOrEqual(record.foothold as number);
}, 150_000);

test("S12 a checkpoint with a flipped byte is found when the node comes back, and had anew from peers", async () => {
  const flipped: string[] = [];
  const { node, record, before } = await restarted(2, async () => {
    for (const name of await readdir(checkpointsOf(2))) {
      if (name === "tmp") continue;
      flipped.push(name);
      await flipByte(join(checkpointsOf(2), name, "weights.bin"));
    }
    expect(flipped).toHaveLength(2);
    // None of them is used.
    await expect(openCheckpoints(checkpointsOf(2)).latest()).resolves.toBeUndefined();
  });
  await expectToGoOn(node, before);
  expect(record.foothold).toBeGreaterThanOrEqual(16);
  expect(record.firstPulled).toBeGreaterThanOrEqual(record.foothold as number);
  await expect(openCheckpoints(checkpointsOf(2)).latest()).resolves.toBeDefined();
}, 150_000);

/** The rounds of a stopped node's headers, and of those whose bodies are here. */
async function roundsOnDisk(index: number): Promise<{ headers: number[]; bodies: number[] }> {
  const store = await openStore(flock.dataDir(index), { log: silentLog });
  try {
    const [headers, bodies]: number[][] = [[], []];
    for await (const bytes of store.contributions.all(0)) {
      const parsed = parseHeader(bytes);
      if (parsed.kind !== "accept") throw new Error(parsed.detail);
      const { round, delta } = parsed.value.header;
      headers?.push(round);
      if (delta !== null && (await store.blocks.has(delta.cid))) bodies?.push(round);
    }
    return { headers: headers ?? [], bodies: bodies ?? [] };
  } finally {
    await store.close();
  }
}

test("S12 S3 bodies of long ago are gone, headers are not, and a newcomer without an address begins at its peers' settled state", async () => {
  const [first, second] = flock.nodes as [StarlingNode, StarlingNode];
  const isLong = (status: NodeStatus): boolean => settledRound(status) > BODIES_KEPT_ROUNDS + 24;
  await Promise.all([first, second].map((node) => until(node, isLong, "enough rounds")));
  const record = new Record();
  const newcomer = await flock.start(3, { recorder: record });
  await until(newcomer, ({ contributionsIncluded }) => contributionsIncluded > 0, "work of the newcomer");
  expect(record.foothold).toBeGreaterThan(BODIES_KEPT_ROUNDS);
  expect(record.firstPulled).toBeGreaterThanOrEqual(record.foothold as number);
  await second.stop();
  const { headers, bodies } = await roundsOnDisk(1);
  expect(Math.min(...headers)).toBe(0);
  expect(Math.min(...bodies)).toBeGreaterThanOrEqual(16);
  expect(Math.min(...bodies)).toBeLessThanOrEqual(Math.max(...headers) - BODIES_KEPT_ROUNDS);
}, 300_000);
