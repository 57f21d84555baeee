import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateKeyPair } from "@libp2p/crypto/keys";
import { LevelDatastore } from "datastore-level";
import { expect, onTestFinished, test } from "vitest";
import { presenceTopic } from "../../../src/gossip/index.ts";
import {
  Inbox,
  RUN,
  connected,
  eventually,
  node,
  pair,
  runOf,
  startedNode,
  stranger,
  text,
} from "./nodes.ts";

const TOPIC = presenceTopic(RUN);

test("F1: four nodes that know only the first end mutually connected through the DHT, mDNS off", async () => {
  const first = await startedNode({ dht: true });
  const others = await Promise.all([1, 2, 3].map(() => node({ dht: true, bootstrap: first.addresses() })));
  const all = [first, ...others];
  const meetings = all.map((swarm) =>
    connected(
      swarm,
      all.filter((other) => other !== swarm),
    ),
  );
  await Promise.all(others.map((swarm) => swarm.start()));
  await Promise.all(meetings);
  for (const swarm of all) expect(new Set(swarm.peers()).size).toBe(swarm.peers().length);
});

test("F1: without the DHT nodes 2 and 3 hear each other through node 1 and never connect", async () => {
  const [first, second] = await pair();
  const third = await startedNode({ bootstrap: first.addresses() });
  await connected(first, [third]);
  const inboxes = [first, second, third].map((swarm) => new Inbox(swarm, TOPIC));
  await eventually(() => first.mesh(TOPIC).length).toBe(2);
  await second.publish(TOPIC, text("from 2"));
  await third.publish(TOPIC, text("from 3"));
  expect(await inboxes[2]?.next()).toEqual({ text: "from 2", from: first.peerId });
  expect(await inboxes[1]?.next()).toEqual({ text: "from 3", from: first.peerId });
  expect(second.peers()).toEqual([first.peerId]);
  expect(third.peers()).toEqual([first.peerId]);
});

test("a bootstrap that dies changes nothing for those who have met", async () => {
  const first = await startedNode({ dht: true });
  const [second, third] = [
    await startedNode({ dht: true, bootstrap: first.addresses() }),
    await startedNode({ dht: true, bootstrap: first.addresses() }),
  ];
  await Promise.all([connected(second, [third]), connected(third, [second])]);
  const inbox = new Inbox(third, TOPIC);
  new Inbox(second, TOPIC);
  await first.stop();
  await eventually(() => second.peers()).toEqual([third.peerId]);
  await eventually(() => second.mesh(TOPIC)).toEqual([third.peerId]);
  expect(await second.publish(TOPIC, text("still here"))).toBe(1);
  expect(await inbox.next()).toEqual({ text: "still here", from: second.peerId });
});

test("dead bootstrap addresses do not fail the start", async () => {
  const dead = await startedNode();
  const deadAddresses = dead.addresses();
  await dead.stop();
  const alive = await startedNode();
  const joiner = await startedNode({ bootstrap: [...deadAddresses, ...alive.addresses()] });
  await connected(joiner, [alive]);
  expect(joiner.peers()).toEqual([alive.peerId]);
});

test("a bootstrap address without a peer id is refused with what was expected", async () => {
  const bootstrap = ["/ip4/127.0.0.1/tcp/4001"];
  await expect(node({ bootstrap })).rejects.toMatchObject({ code: "BOOTSTRAP_INVALID" });
  await expect(node({ bootstrap: ["nonsense"] })).rejects.toMatchObject({ code: "BOOTSTRAP_INVALID" });
});

test("after a restart the peers of before are dialled again, without any bootstrap", async () => {
  const folder = await mkdtemp(join(tmpdir(), "starling-peers-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const privateKey = await generateKeyPair("Ed25519");
  const open = async (): Promise<LevelDatastore> => {
    const datastore = new LevelDatastore(folder);
    await datastore.open();
    return datastore;
  };
  const first = await startedNode();

  const datastore = await open();
  const before = await startedNode({ privateKey, datastore, bootstrap: first.addresses() });
  await connected(before, [first]);
  await before.stop();
  await datastore.close();

  const again = await open();
  const after = await startedNode({ privateKey, datastore: again });
  await connected(after, [first]);
  expect(after.peerId).toBe(before.peerId);
  await after.stop();
  await again.close();
});

test("a peer of another run is connected but is no peer of ours", async () => {
  const ours = await startedNode();
  const theirs = await startedNode({ run: runOf("another run"), bootstrap: ours.addresses() });
  const second = await startedNode({ bootstrap: ours.addresses() });
  await connected(ours, [second]);
  await eventually(() => theirs.traffic().bytesIn).toBeGreaterThan(1000);
  expect(ours.peers()).toEqual([second.peerId]);
  expect(theirs.peers()).toEqual([]);
});

test("S12 a node of another protocol version is no peer, and the log says once which version the run needs", async () => {
  const warnings: string[] = [];
  const swarm = await startedNode({ onWarning: (message) => warnings.push(message) });
  for (const version of [7, 7, 0]) await stranger(swarm, undefined, version);
  await eventually(() => warnings.length).toBe(1);
  expect(warnings[0]).toContain("a release of Starling that speaks version 7");
  await stranger(swarm);
  expect(swarm.peers()).toHaveLength(1);
  expect(warnings).toHaveLength(1);
});
