/** Joining by an address: from a settled state, out of the network, by real nodes. */
import { afterAll, expect, test } from "vitest";
import type { Effect, Event } from "../../src/consensus/index.ts";
import { type Digest, type PeerId, silentLog } from "../../src/core/index.ts";
import {
  type NodeStatus,
  type RunAddress,
  type StarlingNode,
  createNode,
  decodeRunAddress,
} from "../../src/node/index.ts";
import type { Recorder } from "../../src/node/round/loop.ts";
import { Flock, until } from "../support/nodes.ts";

const SETTLE_DEPTH = 2;
const STEPS = 120;
/** Of a node that is not there any more. */
const DEAD_HINT = "/ip4/127.0.0.1/tcp/9/p2p/12D3KooWFB1wk6mUHuh9VvWhRy9FRxS9ozBsTRY1tvNNsMHWgQPM";

const flock = await Flock.create({
  textPath: new URL("../../README.md", import.meta.url).pathname,
  startPeers: 2,
  rounds: 10_000,
  change: (manifest) => ({
    ...manifest,
    phases: manifest.phases.map((phase) => ({
      ...phase,
      rule: { ...phase.rule, settleDepth: SETTLE_DEPTH },
      // Rounds of seconds, or the run has gone on before a joiner's engine is compiled.
      batch: { ...phase.batch, stepsPerRound: STEPS, stepsMax: STEPS },
    })),
  }),
});
await flock.startAll(2);
const [first] = flock.nodes as [StarlingNode];

afterAll(() => flock[Symbol.asyncDispose]());

const addressOf = ({ address }: NodeStatus): RunAddress => decodeRunAddress(address ?? "");

/** Once a settled state is there that the run has gone on from for a while. */
async function anAddress(): Promise<RunAddress> {
  const isOld = (status: NodeStatus): boolean =>
    (addressOf(status).settled?.round ?? Infinity) + SETTLE_DEPTH < status.round;
  return addressOf(await until(first, isOld, "a settled state to join at"));
}

async function joinAs(
  index: number,
  { run, settled, peers }: RunAddress,
  recorder?: Recorder,
): Promise<StarlingNode> {
  const node = await createNode(
    {
      dataDir: flock.dataDir(index),
      run,
      settled: settled ?? undefined,
      listen: ["/ip4/127.0.0.1/tcp/0"],
      announce: [],
      bootstrap: peers,
      engine: "cpu",
      threads: 1,
      dht: true,
      mdns: false,
      localAddresses: true,
    },
    { log: silentLog, ...(recorder && { recorder }) },
  );
  flock.nodes[index] = node;
  await node.start();
  return node;
}

const isIncluded = ({ contributionsIncluded }: NodeStatus): boolean => contributionsIncluded > 0;

/** What a node's machine was told and asked for. */
class Record implements Recorder {
  baseRound: number | undefined;
  readonly events: Event[] = [];
  readonly effects: Effect[] = [];

  begin({ base }: Parameters<Recorder["begin"]>[0]): void {
    this.baseRound = base?.round;
  }

  event(event: Event, effects: readonly Effect[]): void {
    this.events.push(event);
    this.effects.push(...effects);
  }

  /** Rounds of the bodies that were asked for. */
  get pulled(): number[] {
    return this.effects.flatMap((effect) =>
      effect.kind === "pull" ? [effect.contribution.header.round] : [],
    );
  }

  /** The newest round that was heard of when the work began, and the first own one that somebody else cites. */
  rounds(self: PeerId): { begun: number; included: number } {
    const headers = this.events.flatMap((event) => (event.kind === "header" ? [event] : []));
    const begin = this.events.findIndex(({ kind }) => kind === "begin");
    const before = this.events.slice(0, begin);
    const heard = before.flatMap((event) => (event.kind === "header" ? [event.header.round] : []));
    const cited = new Set(
      headers.filter(({ header }) => header.author !== self).flatMap(({ header }) => header.parents),
    );
    const included = headers.filter(({ id, header }) => header.author === self && cited.has(id));
    return {
      begun: Math.max(...heard),
      included: Math.min(...included.map(({ header }) => header.round)),
    };
  }
}

test("S3 S2 a joiner at an old enough run is included within three rounds and asks for nothing of before; one living hint is enough", async () => {
  const address = await anAddress();
  const record = new Record();
  const joiner = await joinAs(2, { ...address, peers: [DEAD_HINT, ...address.peers.slice(0, 1)] }, record);
  const { round } = await until(joiner, isIncluded, "work");
  expect(record.baseRound).toBe(address.settled?.round);
  expect(Math.min(...record.pulled)).toBeGreaterThanOrEqual(address.settled?.round ?? Infinity);
  const isSettledIn = ({ settled }: NodeStatus): boolean => (settled?.round ?? 0) > round;
  await Promise.all([joiner, first].map((node) => until(node, isSettledIn, "the joiner's work settled")));
  const { begun, included } = record.rounds(joiner.peerId);
  expect(included - begun).toBeLessThanOrEqual(3);
}, 150_000);

test.concurrent("S3 a joiner's folder goes on from its own newest checkpoint, and passes the state on", async () => {
  const joiner = flock.nodes[2] as StarlingNode;
  const before = await until(
    joiner,
    (status) => (addressOf(status).settled?.round ?? 0) > 8,
    "a checkpoint of its own",
  );
  await joiner.stop();
  const record = new Record();
  const again = await joinAs(2, { ...addressOf(before), settled: null }, record);
  await until(again, isIncluded, "work");
  expect(record.baseRound).toBeGreaterThanOrEqual(addressOf(before).settled?.round ?? Infinity);
  const third = await joinAs(3, {
    ...addressOf(again.status()),
    peers: again.status().addresses,
  });
  await until(third, isIncluded, "work");
}, 150_000);

test.concurrent("S3 a root that nobody follows is refused with advice", async () => {
  const address = await anAddress();
  const round = address.settled?.round ?? 0;
  const root = "ab".repeat(32) as Digest;
  const lost = await joinAs(4, { ...address, settled: { phase: 0, round, root } });
  await expect(lost.finished).rejects.toMatchObject({
    code: "ADDRESS_OTHER_HISTORY",
    message: expect.stringContaining("starling address") as string,
  });
}, 150_000);

test.concurrent("S3 a root that nobody holds any more is still what the history must extend: all headers are read, and folding begins at a newer state", async () => {
  const address = await anAddress();
  const { settled } = address;
  const isGone = (status: NodeStatus): boolean =>
    (addressOf(status).settled?.round ?? 0) >= (settled?.round ?? 0) + 16;
  await until(first, isGone, "two newer checkpoints");
  const record = new Record();
  const joiner = await joinAs(5, address, record);
  await until(joiner, isIncluded, "work");
  expect(record.baseRound).toBe(undefined);
  expect(Math.min(...record.pulled)).toBeGreaterThan(settled?.round ?? Infinity);
}, 150_000);
