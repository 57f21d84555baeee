/** P7: runs that know nothing of each other are found by real nodes, and liars among them change nothing. */
import { generateKeyPair } from "@libp2p/crypto/keys";
import { afterAll, expect, test } from "vitest";
import { DAG_CBOR, type PeerId, type RunId, cidOf, silentLog, systemClock } from "../../src/core/index.ts";
import { createSwarm } from "../../src/gossip/index.ts";
import { type Manifest, type RunListing, findRuns, runIdOf } from "../../src/node/index.ts";
import { encodeManifest } from "../../src/node/run/manifest.ts";
import { signPresence } from "../../src/node/runs/presence.ts";
import { DEADLINE_MS, Flock } from "../support/nodes.ts";

const textPath = new URL("../../README.md", import.meta.url).pathname;
/** Of two: so one that is alone waits, and costs nothing. */
const flockOf = (name: string, change = (manifest: Manifest): Manifest => manifest): Promise<Flock> =>
  Flock.create({
    textPath,
    startPeers: 2,
    rounds: 10_000,
    change: (manifest) => change({ ...manifest, name }),
  });
const [large, small, quiet, closed] = await Promise.all([
  flockOf("large"),
  flockOf("small"),
  flockOf("quiet"),
  // Whoever is listed is somebody else: it can't contribute, and nobody can join it.
  flockOf("closed", (manifest) => ({
    ...manifest,
    admission: { peers: ["12D3KooWFB1wk6mUHuh9VvWhRy9FRxS9ozBsTRY1tvNNsMHWgQPM" as PeerId] },
  })),
]);
const flocks = [large, small, quiet, closed];
const stops: (() => Promise<void>)[] = [];
afterAll(async () => {
  await Promise.all(stops.map((stop) => stop()));
  await Promise.all(flocks.map((flock) => flock[Symbol.asyncDispose]()));
});

const first = await large.start(0, { listed: true });
const [entry = ""] = first.status().addresses;
await large.start(1, { listed: true });
// One address of another run is all that connects them.
const other = await small.start(0, { listed: true, bootstrap: [entry] });
await quiet.start(0, { bootstrap: [entry] });
await closed.start(0, { listed: true, bootstrap: [entry] });

/** Looks again and again: announcements come by themselves. */
async function untilListed(look: () => Promise<RunListing[]>, ...wanted: Flock[]): Promise<RunListing[]> {
  const deadline = AbortSignal.timeout(DEADLINE_MS);
  for (;;) {
    const runs = await look();
    if (wanted.every((flock) => runs.some(({ run }) => run === runIdOf(flock.manifest)))) return runs;
    if (deadline.aborted) throw new Error(`expected ${wanted.length} runs, got ${JSON.stringify(runs)}`);
  }
}

const scouted = (): Promise<RunListing[]> =>
  findRuns({
    bootstrap: [entry],
    localAddresses: true,
    log: silentLog,
    signal: AbortSignal.timeout(DEADLINE_MS),
  });
const named = (runs: readonly RunListing[], flock: Flock): RunListing =>
  runs.find(({ run }) => run === runIdOf(flock.manifest)) as RunListing;

test("P7 from one address of one run both open runs are listed with their figures, and neither the unlisted nor the closed one", async () => {
  let runs = await untilListed(scouted, large, small);
  // Both train by now, or soon.
  while (named(runs, large).contributors < 2) runs = await scouted();
  expect(runs.map(({ name }) => name).toSorted()).toEqual(["large", "small"]);
  const { model } = large.manifest.phases[0] as Manifest["phases"][number];
  expect(named(runs, small)).toMatchObject({ phase: 0, phasesCount: 1, peers: [other.peerId] });
  expect(named(runs, large).parameters).toBeGreaterThan(model.vocabSize * model.hiddenSize);
  expect(named(runs, large).memoryBytes).toBeGreaterThan(200e6);
  expect(named(runs, large).contributors).toBe(2);
  expect(named(runs, large).roundTrafficBytes).toBeGreaterThan(2 * named(runs, small).roundTrafficBytes);
  expect(named(runs, small).address).toMatch(/^starling1/);
}, 150_000);

test("P7 a node lists its own run beside the others'; who is unlisted says why it can't", async () => {
  const runs = await untilListed(() => other.runs(), large, small);
  expect(named(runs, small).peers).toContain(other.peerId);
  await expect(quiet.nodes[0]?.runs()).rejects.toMatchObject({ code: "RUNS_UNLISTED" });
}, 150_000);

test("P7 of liars nothing is listed but what fits a manifest that hashes to the run's name", async () => {
  const before = await untilListed(scouted, large, small);
  const key = await generateKeyPair("Ed25519");
  const run = runIdOf(small.manifest);
  const madeUp = cidOf(new TextEncoder().encode("no manifest"), DAG_CBOR) as RunId;
  const said = { run, phase: 0, round: 1, contributors: 1 };
  const lies: ((nonce: Uint8Array) => Promise<Uint8Array>)[] = [
    async () => new Uint8Array(1000).fill(7),
    async () => new Uint8Array(2_000_000),
    // Somebody else's name, an answer of before, a signature that does not hold.
    async (nonce) => signPresence(said, { key, nonce }),
    async () => signPresence(said, { key, nonce: new Uint8Array(32) }),
    async (nonce) =>
      (await signPresence(said, { key, nonce })).map((byte, i) => (i === 240 ? byte ^ 1 : byte)),
  ];
  const own: ((own: typeof key, nonce: Uint8Array) => Promise<Uint8Array>)[] = [
    (own, nonce) => signPresence({ ...said, run: madeUp }, { key: own, nonce }),
    (own, nonce) => signPresence({ ...said, contributors: 1000 }, { key: own, nonce }),
    (own, nonce) => signPresence({ ...said, phase: 6 }, { key: own, nonce }),
    (own, nonce) => signPresence({ ...said, run: runIdOf(closed.manifest) }, { key: own, nonce }),
  ];
  const asked: boolean[] = [];
  const liars = [...lies.map((lie) => (_: typeof key, nonce: Uint8Array) => lie(nonce)), ...own];
  for (const [i, lie] of liars.entries()) {
    const privateKey = await generateKeyPair("Ed25519");
    const swarm = await createSwarm(
      {
        run,
        listen: ["/ip4/127.0.0.1/tcp/0"],
        bootstrap: [entry],
        dht: false,
        mdns: false,
        localAddresses: true,
      },
      {
        privateKey,
        blocks: {
          get: async (cid) =>
            cid === runIdOf(closed.manifest) ? encodeManifest(closed.manifest) : new Uint8Array(9),
          has: async () => true,
        },
        headers: {
          since: async () => ({ headers: [], more: false }),
          byIds: async () => [],
          state: () => undefined,
        },
        presence: {
          has: () => true,
          get: async (nonce) => {
            asked[i] = true;
            return lie(privateKey, nonce);
          },
        },
        log: silentLog,
        clock: systemClock,
      },
    );
    await swarm.start();
    stops.push(() => swarm.stop());
  }
  const deadline = AbortSignal.timeout(DEADLINE_MS);
  let runs = before;
  while (asked.filter(Boolean).length < liars.length && !deadline.aborted) runs = await scouted();
  expect(asked).toEqual(liars.map(() => true));
  expect(runs.map(({ name }) => name).toSorted()).toEqual(["large", "small"]);
  expect(named(runs, small).peers).toEqual([other.peerId]);
}, 150_000);
