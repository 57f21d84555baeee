/** S1: how many bodies a node pulls at the same time, by their size and their authors' weight. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BLOCK_BYTES, RAW, accept, cidOf, silentLog, systemClock } from "../../../src/core/index.ts";
import type { UnsignedHeader } from "../../../src/consensus/index.ts";
import { Bodies } from "../../../src/node/round/bodies.ts";
import { createBlockStore } from "../../../src/storage/index.ts";
import { peerOf, runOf, textBytes } from "../../support/run-of.ts";
import { History, type Made } from "../consensus/support.ts";

const FLOCK = Array.from({ length: 20 }, (_, i) => `peer${i}`);
const STRANGERS = Array.from({ length: 20 }, (_, i) => `stranger${i}`);

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "starling-bodies-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** How many are asked for at once when all of a late round come together; `atOnce` must be, before the first arrives. */
async function mostAtOnce(names: readonly string[], deltaBytes: number, atOnce: number): Promise<number> {
  const history = new History(
    runOf({
      seed: "bodies",
      founders: FLOCK.map(peerOf),
      // After eight rounds the flock weighs something, and strangers nothing.
      rule: { settleDepth: 4, weightWindow: 6 },
      limits: { deltaBytesMax: 2 * BLOCK_BYTES },
    }),
  );
  let round: Made[] = [];
  for (let r = 0; r < 8; r++) round = FLOCK.map((name) => history.add(name, round));
  const change = (h: UnsignedHeader): UnsignedHeader => ({
    ...h,
    delta: h.delta && { ...h.delta, bytes: deltaBytes },
  });
  const contents = names.map((name) => textBytes(`${name}/8/`));
  const contentOf = new Map(contents.map((bytes) => [cidOf(bytes, RAW), bytes]));
  const { promise: allAsked, resolve } = Promise.withResolvers<void>();
  let [asked, most, settled] = [0, 0, 0];
  const bodies = new Bodies({
    swarm: {
      peerId: peerOf("self"),
      peers: () => [],
      isRelayed: () => false,
      fetchBlocks: async (o) => {
        most = Math.max(most, ++asked);
        if (asked === atOnce) resolve();
        await allAsked;
        asked -= 1;
        // Far shorter than its header says, which ends the pull.
        await o.take(o.root, contentOf.get(o.root) ?? textBytes(""));
      },
    },
    blocks: createBlockStore({ dir: join(dir, "blocks"), temporaryDir: dir, log: silentLog }),
    graph: history.graph,
    clock: systemClock,
    log: silentLog,
    signal: new AbortController().signal,
    bytesMax: () => deltaBytes,
    hold: async () => accept(0),
    lacking: () => undefined,
    settle: () => void (settled += 1),
  });
  for (const name of names) {
    const contribution = history.graph.get(history.add(name, round, { change }).id);
    if (contribution === undefined) throw new Error(`expected a contribution of ${name} in the graph`);
    bodies.pull(contribution, (error) => expect.unreachable(String(error)));
  }
  await bodies.idle();
  expect(settled).toBe(names.length);
  return most;
}

test.each([
  { what: "of one block, which wait for round trips", authors: FLOCK, deltaBytes: BLOCK_BYTES, atOnce: 16 },
  { what: "of more", authors: FLOCK, deltaBytes: BLOCK_BYTES + 1, atOnce: 4 },
  { what: "of one block by who weighs nothing", authors: STRANGERS, deltaBytes: BLOCK_BYTES, atOnce: 8 },
  { what: "of more by who weighs nothing", authors: STRANGERS, deltaBytes: BLOCK_BYTES + 1, atOnce: 4 },
])("S1 S8 bodies $what are asked for $atOnce at once", async ({ authors, deltaBytes, atOnce }) => {
  expect(await mostAtOnce(authors, deltaBytes, atOnce)).toBe(atOnce);
});
