/**
 * S8: real hostile hosts against a real node. Each is cut off, and an honest peer behind the same address stays
 * connected and is served. What it costs meanwhile is measured by `npm run bench:hostile`.
 */
import { noise } from "@chainsafe/libp2p-noise";
import { identify } from "@libp2p/identify";
import { tcp } from "@libp2p/tcp";
import { yamux } from "@libp2p/yamux";
import { multiaddr } from "@multiformats/multiaddr";
import { createLibp2p } from "libp2p";
import { expect, test } from "vitest";
import {
  type PeerId,
  RAW,
  accept,
  cidOf,
  ignore,
  parseCid,
  reject,
  systemClock,
} from "../../src/core/index.ts";
import { type Swarm, contributionsTopic } from "../../src/gossip/index.ts";
import { Attacker, BLOCKS, ask, attacks } from "../support/attacks.ts";
import { DEADLINE_MS, RUN, connected, randomBytes, startedNode, stranger } from "../net/gossip/nodes.ts";

const BLOCK = randomBytes("a block", 2 ** 20);
const CID = cidOf(BLOCK, RAW);
/** 10 s, and as much again for a busy machine; the bench measures it. */
const POLL = { timeout: 20_000, interval: 20 };
/** As headers are to the gossip room: the first byte says what is wrong with them. */
const WAITING = 0;
const headerOf = async (n: number): Promise<Uint8Array> =>
  Buffer.concat([Uint8Array.of(WAITING), randomBytes(`${n}`, 1000), Uint8Array.of(0)]);

test.each(Object.entries(attacks))(
  "S8 %s: the attacker is cut off, honest peers of its address are not",
  async (_, attack) => {
    const victim = await startedNode({ blocks: { get: async (cid) => (cid === CID ? BLOCK : undefined) } });
    const topic = contributionsTopic(RUN, 0);
    victim.topic(topic, (bytes) => {
      if (bytes.at(-1) !== 0) return reject("HEADER_SIGNATURE", "expected one that holds");
      return bytes[0] === WAITING ? ignore("HEADER_WAITING", "expected its parents") : accept(undefined);
    });
    const honest = await startedNode({ bootstrap: victim.addresses() });
    honest.topic(topic, () => accept(undefined));
    await connected(victim, [honest]);
    const lost: string[] = [];
    const watching = setInterval(() => {
      if (!victim.peers().includes(honest.peerId)) lost.push("the honest peer");
    }, 20);

    await using attacker = await Attacker.create({
      run: RUN,
      peerId: victim.peerId,
      addresses: victim.addresses(),
      block: CID,
      header: headerOf,
      fresh: () => headerOf(0),
    });
    const stop = new AbortController();
    const attacking = attack(attacker, stop.signal);
    const looking = lookForBlocks(victim, stop.signal);
    const self = attacker.libp2p.peerId.toString() as PeerId;
    await expect.poll(() => victim.peers(), POLL).not.toContain(self);
    const signal = AbortSignal.timeout(DEADLINE_MS);
    expect(await honest.fetchBlock(CID, [victim.peerId], { signal })).toEqual(BLOCK);
    stop.abort();
    await Promise.all([attacking, looking]);
    clearInterval(watching);
    expect(lost).toEqual([]);
  },
);

/**
 * As a node does whose rounds want deltas: it asks whoever is there. At most ten times a second: whoever asks an honest peer for
 * more than 32 a second that it does not have is itself cut off (blocks-protocol.ts).
 */
async function lookForBlocks(victim: Swarm, stop: AbortSignal): Promise<void> {
  for (let n = 0; !stop.aborted; n++) {
    await systemClock.sleep(100, stop).catch(() => undefined);
    const signal = AbortSignal.any([stop, AbortSignal.timeout(500)]);
    const wanted = cidOf(randomBytes(`wanted ${n}`, 32), RAW);
    // Nobody has it.
    await victim.fetchBlock(wanted, victim.peers(), { signal }).catch(() => undefined);
  }
}

test("S8 many keys of one address: the useful keep their seats, the others go", async () => {
  const victim = await startedNode({ connectionsMax: 12 });
  const topic = contributionsTopic(RUN, 0);
  const arrived = new Promise<void>((resolve) =>
    victim.topic(topic, () => {
      resolve();
      return accept(undefined);
    }),
  );
  const honest = await startedNode({ bootstrap: victim.addresses() });
  honest.topic(topic, () => accept(undefined));
  await connected(victim, [honest]);
  let n = 0;
  await expect.poll(() => honest.publish(topic, randomBytes(`${n++}`, 100)), POLL).toBeGreaterThan(0);
  await arrived;
  const crowd = await Promise.all(Array.from({ length: 10 }, () => stranger(victim)));
  await expect.poll(() => victim.peers().length, POLL).toBeLessThanOrEqual(9);
  expect(victim.peers()).toContain(honest.peerId);
  await expect.poll(() => crowd.some((each) => each.getConnections().length === 0), POLL).toBe(true);
});

test("S8 six requests that stand still on one connection are one fault: whose line was dead comes back and is served", async () => {
  const victim = await startedNode({ blocks: { get: async (cid) => (cid === CID ? BLOCK : undefined) } });
  victim.topic(contributionsTopic(RUN, 0), () => accept(undefined));
  await using late = await Attacker.create({
    run: RUN,
    peerId: victim.peerId,
    addresses: victim.addresses(),
    block: CID,
    header: headerOf,
    fresh: () => headerOf(0),
  });
  const cutOff = new Promise<void>((resolve) =>
    late.libp2p.addEventListener("peer:disconnect", () => resolve(), { once: true }),
  );
  // The length of a request, and nothing behind it.
  for (let n = 0; n < 6; n++) (await late.open(BLOCKS)).send(Uint8Array.of(36));
  await cutOff;
  await late.connect();
  const reply = await ask(late, BLOCKS, parseCid(CID)?.bytes ?? new Uint8Array(0));
  expect(Buffer.compare(reply.subarray(1), BLOCK)).toBe(0);
});

test("S8 a peer that never says that it is of the run is sent away", async () => {
  const victim = await startedNode();
  const libp2p = await createLibp2p({
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify() },
  });
  const sentAway = new Promise<void>((resolve) =>
    libp2p.addEventListener("peer:disconnect", () => resolve()),
  );
  await libp2p.dial(victim.addresses().map((address) => multiaddr(address)));
  await sentAway;
  await libp2p.stop();
});
