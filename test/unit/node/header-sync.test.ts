import { expect, test } from "vitest";
import { type PeerId, accept, silentLog, systemClock } from "../../../src/core/index.ts";
import type { HeadersRequest, Swarm } from "../../../src/gossip/index.ts";
import { HeaderSync } from "../../../src/node/round/header-sync.ts";

/** One byte each: its round. The peer holds rounds 0 to 5. */
const HELD = Array.from({ length: 6 }, (_, round) => Uint8Array.of(round));

test("P3: one who holds a history with fewer rounds than ours is asked further back, until it gives its newest", async () => {
  const asked: number[] = [];
  const taken: number[] = [];
  const requestHeaders = async (_: PeerId, query: HeadersRequest) => {
    const from = "fromRound" in query ? query.fromRound : 0;
    asked.push(from);
    return { headers: HELD.slice(from), more: false };
  };
  const sync = new HeaderSync({
    swarm: { requestHeaders, peers: () => [] } as unknown as Swarm,
    clock: systemClock,
    log: silentLog,
    signal: new AbortController().signal,
    phase: 0,
    intervalMs: () => 1000,
    roundNow: () => 40,
    missing: () => [],
    receive: async ([round]) => {
      taken.push(round as number);
      return accept(round as number);
    },
  });
  expect(await sync.catchUp("peer" as PeerId, 37)).toBe(true);
  expect(asked).toEqual([37, 18, 9, 4]);
  expect(taken).toEqual([4, 5]);
});
