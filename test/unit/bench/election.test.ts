import { expect, test } from "vitest";
import { ATTACK_NAMES, attack } from "../../../bench/rules/attacks.ts";
import { Election, type Sent } from "../../../bench/rules/election.ts";
import { encodeDelta, openDelta } from "../../../src/codec/index.ts";
import { SeededRandom, fromFixed } from "../../../src/core/index.ts";

const COUNT = 4096;
const PEERS = 8;
const DENSE = { keepPerChunk: 4096, valueBits: 8 } as const;

/** A valley whose floor is `target`; each peer's batch pulls a little elsewhere. */
const target = drawn("target", 0.02);
const weights = Int32Array.from({ length: COUNT }, () => 0);

function drawn(seed: string, scale: number): Float32Array {
  const random = new SeededRandom(seed);
  return Float32Array.from({ length: COUNT }, () => (random.unit() - 0.5) * scale);
}

function floorOf(peer: number): Float32Array {
  const own = drawn(`batch/${peer}`, 0.01);
  return target.map((x, i) => x + (own[i] as number));
}

/** What a peer sends that learned `delta` = start - end. */
function send(peer: number, delta: Float32Array, isHostile: boolean): Sent {
  const fixed = Int32Array.from(delta, (x) =>
    Math.max(-(2 ** 30), Math.min(2 ** 30, Math.round(x * 2 ** 24))),
  );
  const { bytes } = encodeDelta(fixed.slice(), [COUNT], DENSE);
  const opened = openDelta(bytes, [COUNT], DENSE);
  if (opened.kind !== "accept") throw new Error(opened.detail);
  const end = Float32Array.from(fixed, (x) => -fromFixed(x));
  const reader = opened.value;
  return { peer, end, tokens: 100, isHostile, reader, norm: reader.norm };
}

/** Half-way to the floor of its batch. */
function learned(peer: number): Float32Array {
  return floorOf(peer).map((x) => -x / 2);
}

const honest = Array.from({ length: PEERS - 2 }, (_, peer) => learned(peer));

/** By the gates of the node. */
function elected(sent: readonly Sent[]): Sent[] {
  return new Election(["cosine", "copy"]).elected(sent, weights);
}

// Labels: here there is no text. Replays: there is no round before. A little less than the mean is honest work here.
test.each(ATTACK_NAMES.filter((name) => !["labels", "replay", "little"].includes(name)))(
  "E4: %s is not elected, and honest work is",
  (name) => {
    const sent = honest.map((delta, peer) => send(peer, delta, false));
    for (const peer of [PEERS - 2, PEERS - 1]) {
      const own = learned(peer);
      const scene = { start: new Float32Array(COUNT), honest, own, first: undefined, seed: `${peer}` };
      sent.push(send(peer, attack(name, scene), true));
    }
    expect(elected(sent).map(({ peer }) => peer)).toEqual([0, 1, 2, 3, 4, 5]);
  },
);

test("E4: work that history holds is not elected again", () => {
  const election = new Election(["copy"]);
  const sent = Array.from({ length: PEERS }, (_, peer) => send(peer, learned(peer), false));
  expect(election.elected(sent, weights)).toHaveLength(PEERS);
  const [last] = sent.slice(-1) as [Sent];
  const next = Array.from({ length: PEERS - 1 }, (_, peer) => send(peer, learned(peer + PEERS), false));
  const again = { ...last, isHostile: true };
  expect(election.elected([...next, again], weights).map(({ peer }) => peer)).toEqual(
    next.map(({ peer }) => peer),
  );
});

test("E4: when nobody attacks, everybody is elected", () => {
  const sent = Array.from({ length: PEERS }, (_, peer) => send(peer, learned(peer), false));
  expect(elected(sent)).toHaveLength(PEERS);
});
