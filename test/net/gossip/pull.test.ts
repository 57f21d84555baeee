/** S1 over real connections: a body from one author to several receivers, blocks of 1 MiB in stores on disk. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { BLOCK_BYTES, type Cid, silentLog } from "../../../src/core/index.ts";
import type { Swarm } from "../../../src/gossip/index.ts";
import { type Store, bodyBlocks, openStore, pullBody, putBody } from "../../../src/storage/index.ts";
import { connected, randomBytes, startedNode } from "./nodes.ts";

const RECEIVERS = 5;
const BODY = randomBytes("a body", 20 * BLOCK_BYTES - 1000);

interface Peer {
  readonly swarm: Swarm;
  readonly store: Store;
}

/** Peers that are all connected with each other. */
async function flock(count: number): Promise<Peer[]> {
  const dir = await mkdtemp(join(tmpdir(), "starling-pull-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const peers: Peer[] = [];
  for (let i = 0; i < count; i++) {
    const store = await openStore(join(dir, String(i)), { log: silentLog });
    onTestFinished(() => store.close());
    const bootstrap = peers.flatMap(({ swarm }) => swarm.addresses());
    const swarm = await startedNode({ blocks: store.blocks, bootstrap });
    const others = peers.map((peer) => peer.swarm);
    if (others.length > 0) await connected(swarm, others);
    peers.push({ swarm, store });
  }
  return peers;
}

async function pull({ swarm, store }: Peer, cid: Cid, onBlock: () => void = () => undefined): Promise<void> {
  const pulled = await pullBody(store.blocks, cid, {
    bytesMax: BODY.length,
    fetch: (cids, take) =>
      swarm.fetchBlocks({
        cids,
        root: cid,
        holders: () => swarm.peers(),
        take: async (child, block) => {
          await take(child, block);
          onBlock();
        },
        signal: AbortSignal.timeout(50_000),
      }),
  });
  expect(pulled.kind === "accept" && Buffer.compare(pulled.value, BODY)).toBe(0);
}

test("S1 a body reaches all receivers, and its author uploads it at most 1.5 times", async () => {
  const [author, ...receivers] = (await flock(1 + RECEIVERS)) as [Peer, ...Peer[]];
  const cid = await putBody(author.store.blocks, BODY);
  const before = author.swarm.traffic().bytesOut;
  await Promise.all(receivers.map((receiver) => pull(receiver, cid)));
  expect((author.swarm.traffic().bytesOut - before) / BODY.length).toBeLessThanOrEqual(1.5);
});

test("S1 the author is killed as soon as the others together have every block: all of them complete it", async () => {
  const [author, ...receivers] = (await flock(1 + RECEIVERS)) as [Peer, ...Peer[]];
  const cid = await putBody(author.store.blocks, BODY);
  let killed: Promise<void> | undefined;
  const killWhenSpread = async (): Promise<void> => {
    const held = await Promise.all(
      (await bodyBlocks(author.store.blocks, cid)).map(async (child) =>
        Promise.all(receivers.map(({ store }) => store.blocks.has(child))),
      ),
    );
    if (held.every((each) => each.includes(true))) killed ??= author.swarm.stop();
  };
  const looks: Promise<void>[] = [];
  await Promise.all(
    receivers.map((receiver) => pull(receiver, cid, () => void looks.push(killWhenSpread()))),
  );
  await Promise.all(looks);
  expect(killed).toBeDefined();
  await killed;
});
