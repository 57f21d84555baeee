/** What stays on the disk and what goes first, with a real store. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import type { Machine } from "../../../src/consensus/index.ts";
import { type Cid, type PeerId, RAW, cidOf, silentLog } from "../../../src/core/index.ts";
import { DataPull } from "../../../src/node/data/pull.ts";
import { DiskKeeper, type DiskOptions } from "../../../src/node/disk/keeper.ts";
import { BODIES_KEPT_ROUNDS, bodiesToDrop } from "../../../src/node/disk/retention.ts";
import { type Store, folderBytes, openStore, putBody } from "../../../src/storage/index.ts";
import { Flock } from "../../support/flock.ts";

const MIB = 2 ** 20;

async function kept(options: DiskOptions): Promise<{ store: Store; keeper: DiskKeeper; dir: string }> {
  const dir = await mkdtemp(join(tmpdir(), "starling-disk-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const store = await openStore(dir, { log: silentLog });
  onTestFinished(() => store.close());
  return {
    store,
    dir,
    keeper: new DiskKeeper(options, { blocks: store.blocks, dataDir: dir, log: silentLog }),
  };
}

const bytesOf = (name: number, length: number): Uint8Array => new Uint8Array(length).fill(name);

async function put({ blocks }: DiskKeeper, name: number, length: number = MIB / 4): Promise<Cid> {
  const bytes = bytesOf(name, length);
  const cid = cidOf(bytes, RAW);
  await blocks.put(cid, bytes);
  return cid;
}

test("S2 --disk-max: bodies beyond retention go first, then the shards used longest ago, and nothing else", async () => {
  const { store, keeper, dir } = await kept({ archive: true, bytesMax: 2.1 * MIB });
  const shards = [1, 2, 3].map((name) => cidOf(bytesOf(name, MIB / 4), RAW));
  await keeper.start(shards);
  for (const name of [1, 2, 3]) await put(keeper, name);
  const [old, needed] = [await put(keeper, 4), await put(keeper, 5)];
  await keeper.retire([old]);
  // Archived, as long as there is room.
  await expect(store.blocks.has(old)).resolves.toBe(true);
  await keeper.blocks.get(shards[0] as Cid);
  const here = async (): Promise<boolean[]> =>
    Promise.all([old, ...shards, needed].map((cid) => store.blocks.has(cid)));
  const states: string[] = [];
  for (let name = 6; name < 13; name++) {
    await put(keeper, name);
    expect(await folderBytes(dir)).toBeLessThanOrEqual(2.1 * MIB);
    states.push((await here()).map(Number).join(""));
  }
  const changes = states.filter((state, i) => state !== states[i - 1]);
  expect(changes).toEqual(["11111", "01111", "01011", "01001", "00001"]);
});

test("S2 --disk-max: of larger data as many shards are pulled ahead as there is room for, and every one when it is asked for", async () => {
  const { keeper, dir } = await kept({ archive: false, bytesMax: 5.5 * MIB });
  const peers = new Map(
    Array.from({ length: 12 }, (_, i) => {
      const bytes = bytesOf(i, MIB);
      return [cidOf(bytes, RAW), bytes] as const;
    }),
  );
  const shards = [...peers.keys()].map((cid) => ({ cid, tokens: MIB }));
  await keeper.start([...peers.keys()]);
  let pulledCount = 0;
  const pull = new DataPull({
    blocks: keeper.blocks,
    fetch: async (cids, take) => {
      for (const cid of cids) await take(cid, peers.get(cid) as Uint8Array);
      pulledCount += cids.length;
    },
    self: "self" as PeerId,
    signal: new AbortController().signal,
  });
  const { rest } = await pull.all({ train: shards, heldOut: [] }, keeper.blocksFree);
  await rest;
  expect(pulledCount).toBe(5);
  for (const { cid } of [...shards, ...shards]) {
    expect(Buffer.compare(await pull.block(cid), peers.get(cid) as Uint8Array)).toBe(0);
    expect(await folderBytes(dir)).toBeLessThanOrEqual(5.5 * MIB);
  }
});

test("S12 bodies whose time is over are deleted, all blocks of them; with --archive they stay", async () => {
  for (const archive of [false, true]) {
    const { store, keeper } = await kept({ archive, bytesMax: null });
    await keeper.start([]);
    const body = await putBody(keeper.blocks, bytesOf(7, 2.5 * MIB));
    const bytes = await folderBytes(join(store.dir, "blocks"));
    await keeper.retire([body]);
    const left = await folderBytes(join(store.dir, "blocks"));
    expect(left).toBe(archive ? bytes : 0);
  }
});

let machine: Machine;
beforeAll(() => {
  const flock = new Flock({ seed: "retention", nodesCount: 3, rule: { settleDepth: 2 } });
  flock.untilRound(BODIES_KEPT_ROUNDS + 20);
  machine = flock.nodes[0].machine;
});

test("S12 retention: headers stay, bodies until their round has been settled for 64 rounds, each dropped once", () => {
  const settled = machine.view.settledRound;
  expect(settled).toBeGreaterThan(BODIES_KEPT_ROUNDS + 10);
  const deltas = (from: number, until: number): Set<Cid> => {
    const all = Array.from({ length: until - from }, (_, i) => machine.graph.round(from + i)).flat();
    return new Set(all.flatMap(({ header }) => (header.delta === null ? [] : [header.delta.cid])));
  };
  fc.assert(
    fc.property(fc.array(fc.nat(settled), { minLength: 1 }), (rounds) => {
      let from = 0;
      const dropped: Cid[] = [];
      for (const settledRound of rounds.toSorted((a, b) => a - b)) {
        const { until, bodies } = bodiesToDrop(machine.graph, { from, settledRound });
        dropped.push(...bodies);
        from = until;
        const kept = deltas(Math.max(0, settledRound - BODIES_KEPT_ROUNDS), machine.graph.roundsCount);
        expect(dropped.some((cid) => kept.has(cid))).toBe(false);
        expect(new Set(dropped)).toEqual(deltas(0, from).difference(kept));
      }
      expect(new Set(dropped).size).toBe(dropped.length);
    }),
  );
});
