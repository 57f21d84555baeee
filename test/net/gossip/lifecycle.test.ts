import { expect, test } from "vitest";
import { connected, eventually, node, pair, startedNode } from "./nodes.ts";

function sockets(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind.startsWith("TCP")).length;
}

test("after stop no socket is left, and stop may be called again", async () => {
  const before = sockets();
  const first = await startedNode({ dht: true });
  const second = await startedNode({ dht: true, bootstrap: first.addresses() });
  await Promise.all([connected(first, [second]), connected(second, [first])]);
  expect(sockets()).toBeGreaterThan(before);
  await Promise.all([first.stop(), second.stop()]);
  await eventually(sockets).toBe(before);
  await first.stop();
});

test("a node that relays begins to once, and ends without a warning", async () => {
  const warnings: string[] = [];
  const [first, second] = await Promise.all(
    [1, 2].map(() => startedNode({ onWarning: (message) => warnings.push(message) })),
  );
  await Promise.all([first?.stop(), second?.stop()]);
  expect(warnings).toEqual([]);
});

test("stop before start is no error", async () => {
  const swarm = await node({ dht: true });
  await swarm.stop();
  expect(swarm.peers()).toEqual([]);
});

test("traffic of the whole host grows with what it does and stays when connections end", async () => {
  const [a, b] = await pair();
  const { bytesIn, bytesOut } = a.traffic();
  expect(bytesIn).toBeGreaterThan(500);
  expect(bytesOut).toBeGreaterThan(500);
  await b.stop();
  await eventually(() => a.peers()).toEqual([]);
  expect(a.traffic().bytesIn).toBeGreaterThanOrEqual(bytesIn);
  expect(a.traffic().bytesOut).toBeGreaterThanOrEqual(bytesOut);
});

test("F16: an address that cannot be listened on fails the start with what to do", async () => {
  const first = await startedNode();
  const address = first.addresses()[0] ?? "";
  const taken = address.slice(0, address.indexOf("/p2p/"));
  const second = await node({ listen: [taken] });
  await expect(second.start()).rejects.toMatchObject({
    code: "LISTEN_FAILED",
    message: expect.stringMatching(
      /^expected to listen on .*, got: listen EADDRINUSE[^\n]*; choose another port/,
    ),
  });
});
