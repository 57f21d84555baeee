import { expect, test } from "vitest";
import type { Clock, PeerId } from "../../../src/core/index.ts";
import { FAULT_POINTS, Standing } from "../../../src/gossip/standing.ts";

const PEER = "a peer" as PeerId;
const MINUTE_MS = 60_000;

function setup(): { standing: Standing; banned: PeerId[]; pass: (ms: number) => void } {
  let nowMs = 0;
  const clock: Clock = { nowMs: () => nowMs, sleep: () => Promise.reject(new Error("nobody sleeps here")) };
  const banned: PeerId[] = [];
  const standing = new Standing({ clock, onBan: (peer) => banned.push(peer) });
  return { standing, banned, pass: (ms) => (nowMs += ms) };
}

test("points add up and halve every ten minutes", () => {
  const { standing, pass } = setup();
  expect(standing.points(PEER)).toBe(0);
  standing.fault(PEER, "message");
  standing.fault(PEER, "rate");
  expect(standing.points(PEER)).toBe(FAULT_POINTS.message + FAULT_POINTS.rate);
  pass(10 * MINUTE_MS);
  expect(standing.points(PEER)).toBe((FAULT_POINTS.message + FAULT_POINTS.rate) / 2);
});

test("four rejected messages are endured, the fifth is a ban, said once", () => {
  const { standing, banned } = setup();
  for (let n = 0; n < 4; n++) standing.fault(PEER, "message");
  expect(standing.banned(PEER)).toBe(false);
  standing.fault(PEER, "message");
  standing.fault(PEER, "message");
  expect(standing.banned(PEER)).toBe(true);
  expect(banned).toEqual([PEER]);
});

test("a ban ends when the points have decayed, and faults spread over hours never ban", () => {
  const { standing, banned, pass } = setup();
  for (let n = 0; n < 5; n++) standing.fault(PEER, "message");
  pass(9 * MINUTE_MS);
  expect(standing.banned(PEER)).toBe(true);
  pass(2 * MINUTE_MS);
  expect(standing.banned(PEER)).toBe(false);
  const slow = "a slow sinner" as PeerId;
  for (let n = 0; n < 50; n++) {
    standing.fault(slow, "message");
    pass(10 * MINUTE_MS);
  }
  expect(banned).toEqual([PEER]);
});

test("strangers without end do not fill the memory: the oldest fault is forgotten", () => {
  const { standing } = setup();
  standing.fault(PEER, "message");
  for (let n = 0; n < 4096; n++) standing.fault(`stranger ${n}` as PeerId, "rate");
  expect(standing.points(PEER)).toBe(0);
  expect(standing.points("stranger 0" as PeerId)).toBe(FAULT_POINTS.rate);
});
