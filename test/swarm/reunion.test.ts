/** S6: a line that falls silent without a word and comes back for new connections: TCP would sleep on, the nodes do not. */
import { once } from "node:events";
import { type AddressInfo, type Socket, connect, createServer } from "node:net";
import { expect, test } from "vitest";
import { type Clock, type PeerId, accept, systemClock } from "../../src/core/index.ts";
import { contributionsTopic } from "../../src/gossip/index.ts";
import { RUN, connected, randomBytes, startedNode } from "../net/gossip/nodes.ts";

const POLL = { timeout: 60_000, interval: 20 };
/** Pauses between attempts pass in moments; what is waited for on the wire is not hurried. */
const HASTY: Clock = {
  nowMs: () => systemClock.nowMs() * 100,
  sleep: (ms, signal) => systemClock.sleep(ms / 100, signal),
};

test("S6 peers on a connection that has gone silent meet again on a new one, and gossip on it", async () => {
  const topic = contributionsTopic(RUN, 0);
  const listener = await startedNode({ clock: HASTY });
  const heard: PeerId[] = [];
  listener.topic(topic, (_, from) => {
    heard.push(from);
    return accept(undefined);
  });
  const [, port] = /\/tcp\/(\d+)/.exec(listener.addresses()[0] ?? "") ?? [];
  await using line = await Line.to(Number(port));
  const bootstrap = [`/ip4/127.0.0.1/tcp/${line.port}/p2p/${listener.peerId}`];
  const dialler = await startedNode({ clock: HASTY, bootstrap });
  dialler.topic(topic, () => accept(undefined));
  await connected(dialler, [listener]);
  let n = 0;
  const isHeard = (): Promise<number> => dialler.publish(topic, randomBytes(`${n++}`, 100));
  await expect.poll(isHeard, POLL).toBeGreaterThan(0);

  const back = new Promise<PeerId>((resolve) => dialler.onPeer(resolve));
  line.fallSilent();
  expect(await back).toBe(listener.peerId);
  heard.splice(0);
  await expect
    .poll(async () => {
      await isHeard();
      return heard.length;
    }, POLL)
    .toBeGreaterThan(0);
});

/** What one dials to reach the other. */
class Line implements AsyncDisposable {
  readonly port: number;
  readonly #close: () => Promise<unknown>;
  readonly #pairs: Array<readonly [Socket, Socket]>;

  private constructor(port: number, pairs: Array<readonly [Socket, Socket]>, close: () => Promise<unknown>) {
    this.port = port;
    this.#pairs = pairs;
    this.#close = close;
  }

  static async to(port: number): Promise<Line> {
    const pairs: Array<readonly [Socket, Socket]> = [];
    const server = createServer((near) => {
      const far = connect(port, "127.0.0.1");
      pairs.push([near, far]);
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        from.pipe(to);
        from.on("error", () => to.destroy());
        from.on("close", () => to.destroy());
      }
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new Line((server.address() as AddressInfo).port, pairs, () => {
      for (const pair of pairs) for (const socket of pair) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    });
  }

  /** Nothing passes any more on what is connected now, and nobody is told. */
  fallSilent(): void {
    for (const pair of this.#pairs)
      for (const socket of pair) {
        socket.unpipe();
        socket.pause();
      }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }
}
