import type { Stream } from "@libp2p/interface";
import { expect, test } from "vitest";
import { type Clock, type PeerId, systemClock } from "../../../src/core/index.ts";
import { RUN, type Stranger, eventually, pair, startedNode, stranger, within } from "./nodes.ts";

const PING = `/starling/1/${RUN}/ping/1.0.0`;
/** A hundred times as impatient, so that minutes of silence pass in moments. */
const HASTY: Clock = {
  nowMs: () => systemClock.nowMs() * 100,
  sleep: (ms, signal) => systemClock.sleep(ms / 100, signal),
};

/** Answers a ping with other bytes than were sent. */
function garble(stream: Stream): void {
  stream.addEventListener("message", () => stream.send(new Uint8Array(32)));
}

function echo(stream: Stream): void {
  stream.addEventListener("message", ({ data }) => stream.send(data));
  stream.addEventListener("remoteCloseWrite", () => void stream.close());
}

function disconnected(libp2p: Stranger): Promise<void> {
  return within("disconnect", (resolve) => libp2p.addEventListener("peer:disconnect", () => resolve()));
}

test("every new peer is pinged at once, and the slowest pings are known", async () => {
  const [a, b] = await pair();
  await eventually(() => a.pingP99Ms()).not.toBeNull();
  await eventually(() => b.pingP99Ms()).toBeLessThan(5000);
});

test("a peer that breaks six pings in a row is let go; the failures count as the longest pings", async () => {
  const victim = await startedNode({ clock: HASTY });
  let pings = 0;
  const mute = await stranger(victim, async (libp2p) => {
    await libp2p.handle(PING, (stream) => {
      pings += 1;
      garble(stream);
    });
  });
  await disconnected(mute);
  expect(pings).toBeGreaterThanOrEqual(6);
  expect(victim.pingP99Ms()).toBe(10_000);
});

test("a peer on whose live connection our gossip stream has died is dialled anew", async () => {
  const victim = await startedNode({ clock: HASTY });
  const deaf = await stranger(victim, (libp2p) => libp2p.handle(PING, echo));
  await eventually(() => gossipStreams().length).toBeGreaterThan(0);
  expect(victim.peers()).toEqual([deaf.peerId.toString() as PeerId]);
  const letGo = disconnected(deaf);
  for (const stream of gossipStreams()) stream.abort(new Error("deaf"));
  await letGo;
  await eventually(() => gossipStreams().length).toBeGreaterThan(0);

  function gossipStreams(): Stream[] {
    return deaf
      .getConnections()
      .flatMap((connection) => connection.streams)
      .filter((stream) => stream.direction === "inbound" && stream.protocol.startsWith("/meshsub/"));
  }
});

test("a peer that speaks no ping of ours, but is of the run, is left in peace", async () => {
  const victim = await startedNode({ clock: HASTY });
  const foreign = await stranger(victim);
  let left = false;
  foreign.addEventListener("peer:disconnect", () => (left = true));
  // As long as it takes to let go of another peer, which comes later.
  const garbler = await stranger(victim, (libp2p) => libp2p.handle(PING, garble));
  await disconnected(garbler);
  expect(left).toBe(false);
  expect(victim.peers()).toContain(foreign.peerId.toString());
});
