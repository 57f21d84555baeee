import { noise } from "@chainsafe/libp2p-noise";
import { circuitRelayServer } from "@libp2p/circuit-relay-v2";
import { identify } from "@libp2p/identify";
import { tcp } from "@libp2p/tcp";
import { yamux } from "@libp2p/yamux";
import { createLibp2p } from "libp2p";
import { expect, test } from "vitest";
import { type Clock, systemClock } from "../../../src/core/index.ts";
import { RUN, eventually, startedNode } from "./nodes.ts";

/** A hundred times as impatient. */
const HASTY: Clock = {
  nowMs: () => systemClock.nowMs() * 100,
  sleep: (ms, signal) => systemClock.sleep(ms / 100, signal),
};

test("S9 a relay that had no place at first is asked again, on the same connection", async () => {
  let asked = 0;
  const relay = await createLibp2p({
    addresses: { listen: ["/ip4/127.0.0.1/tcp/0"] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: { denyInboundRelayReservation: () => ++asked < 3 },
    services: { identify: identify(), relay: circuitRelayServer() },
  });
  await relay.handle(`/starling/1/${RUN}/stranger`, (stream) => stream.abort(new Error("not spoken")));
  let connections = 0;
  relay.addEventListener("connection:open", () => (connections += 1));
  const bootstrap = relay.getMultiaddrs().map(String);
  const node = await startedNode({ clock: HASTY, viaRelay: true, bootstrap });
  await eventually(() => node.addresses().join()).toContain("/p2p-circuit");
  expect(asked).toBe(3);
  expect(connections).toBe(1);
  await relay.stop();
});
