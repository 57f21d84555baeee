/** The accounts grow by one round at a time; their slow twin adds up all rounds anew. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type Accounts,
  type RoundWork,
  NO_ACCOUNTS,
  accountsOfRecord,
  extendAccounts,
  recordOfAccounts,
  tableBefore,
} from "../../../src/consensus/accounts.ts";
import type { PeerId } from "../../../src/core/index.ts";
import { peerOf } from "../../support/run-of.ts";

const PEERS = ["ada", "bob", "cyd"].map(peerOf);
const RULE = { weightWindow: 3, settleDepth: 2 };

/** Weight of a at T = its work in the last rounds, but for what came before, or in, the last round that voids it. */
function tableOf(rounds: readonly RoundWork[]): Map<PeerId, number> {
  const table = new Map<PeerId, number>();
  for (const peer of PEERS) {
    const voidedAt = rounds.findLastIndex(({ voided }) => voided.includes(peer));
    const from = Math.max(rounds.length - RULE.weightWindow, voidedAt + 1, 0);
    const weight = rounds.slice(from).reduce((sum, { counted }) => sum + (counted.get(peer) ?? 0), 0);
    if (weight > 0) table.set(peer, weight);
  }
  return table;
}

const history = fc.array(
  fc.record({
    counted: fc
      .array(fc.integer({ min: 0, max: 3 }), { minLength: 3, maxLength: 3 })
      .map((tokens) => new Map(PEERS.map((peer, i) => [peer, tokens[i]]))),
    voided: fc.subarray(PEERS).map((peers) => (peers.length === 1 ? peers : [])),
  }),
  { maxLength: 14 },
);

test("R5 weights grown round by round equal those added up anew, with and without voided work", () => {
  fc.assert(
    fc.property(history, (rounds) => {
      let accounts: Accounts = NO_ACCOUNTS;
      rounds.forEach((work, i) => {
        accounts = extendAccounts(accounts, work, RULE);
        expect(new Map(accounts.table)).toEqual(tableOf(rounds.slice(0, i + 1)));
      });
      for (let back = 0; back <= Math.min(rounds.length, RULE.settleDepth + 1); back++) {
        const earlier = rounds.slice(0, rounds.length - back);
        expect(tableBefore(accounts, back, RULE)).toEqual(tableOf(earlier));
      }
    }),
  );
});

test("accounts are the same after they were stored", () => {
  fc.assert(
    fc.property(history, (rounds) => {
      let accounts: Accounts = NO_ACCOUNTS;
      for (const work of rounds) accounts = extendAccounts(accounts, work, RULE);
      const stored = JSON.parse(JSON.stringify(recordOfAccounts(accounts))) as ReturnType<
        typeof recordOfAccounts
      >;
      expect(recordOfAccounts(accountsOfRecord(stored, RULE))).toEqual(recordOfAccounts(accounts));
      expect(new Map(accountsOfRecord(stored, RULE).table)).toEqual(new Map(accounts.table));
    }),
  );
});
