/** The exported tree against two others who know the format: OpenZeppelin's own library, and one written out by hand. */
import { keccak_256 } from "@noble/hashes/sha3.js";
import { StandardMerkleTree } from "@openzeppelin/merkle-tree";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Payout, authorKey, latestPayouts, parseAddress } from "../../../src/consensus/index.ts";
import { type ContributionId, assert } from "../../../src/core/index.ts";
import { creditsTree } from "../../../src/node/index.ts";
import {
  type Credit,
  type Credits,
  creditsAsOf,
  creditsByAuthor,
} from "../../../src/node/credits/credits.ts";
import { type CreditsTree, LEAF_ENCODING } from "../../../src/node/credits/tree.ts";
import { peerOf, runIdOf } from "../../support/run-of.ts";

const run = runIdOf("run");
const NAMES = ["ada", "bob", "cyd", "dee", "eve", "fay", "gil"];

const line: fc.Arbitrary<Credit> = fc
  .record({ name: fc.constantFrom(...NAMES), round: fc.nat(9), tokens: fc.integer({ min: 1, max: 1e9 }) })
  .map(({ name, round, tokens }) => ({
    contribution: `${name}/${round}` as ContributionId,
    author: peerOf(name),
    phase: 0,
    round,
    tokens,
    // Far above what a double holds exactly, as with a perToken of 10^15.
    credits: String(BigInt(tokens) * 10n ** 15n + 1n),
  }));

const phases = [{ phase: 0, rounds: 10, perToken: 1 }];
const credits: fc.Arbitrary<Credits> = fc
  .array(line, { minLength: 1, maxLength: 40 })
  .map((lines) => ({ run, phases, rounds: 10, lines: lines.toSorted((a, b) => a.round - b.round) }));

/** Somebody's record; the signature is not this test's. */
const payout: fc.Arbitrary<Payout> = fc
  .record({
    name: fc.constantFrom(...NAMES),
    address: fc.bigInt(1n, 2n ** 160n - 1n),
    sequence: fc.integer({ min: 1, max: 9 }),
  })
  .map(({ name, address, sequence }) => {
    const parsed = parseAddress(`0x${address.toString(16).padStart(40, "0")}`);
    assert(parsed !== undefined, "20 bytes above zero are an address");
    return { v: 1, run, author: peerOf(name), address: parsed, sequence, sig: "" };
  });

/** One for everybody, and then some. */
const payouts: fc.Arbitrary<Payout[]> = fc.array(payout, { minLength: 1, maxLength: 20 });

const hex = (bytes: Uint8Array): string => `0x${Buffer.from(bytes).toString("hex")}`;
const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.slice(2), "hex"));

/** keccak256(keccak256(abi.encode(bytes32, address, uint256))): three words of 32 bytes. */
function leafHash([author, address, amount]: readonly string[]): Uint8Array {
  const words = [
    author.slice(2),
    address.slice(2).padStart(64, "0"),
    BigInt(amount).toString(16).padStart(64, "0"),
  ];
  return keccak_256(keccak_256(bytesOf(`0x${words.join("")}`)));
}

/** What MerkleProof.sol does: hash upwards, the lower of two first. */
function rootFrom(leaf: Uint8Array, proof: readonly string[]): string {
  let node = leaf;
  for (const sibling of proof.map(bytesOf)) {
    const pair = Buffer.compare(node, sibling) < 0 ? [node, sibling] : [sibling, node];
    node = keccak_256(Uint8Array.from(Buffer.concat(pair)));
  }
  return hex(node);
}

/** Cumulative credits in the tree, by author key. */
function leavesOf(tree: CreditsTree | undefined): Map<string, bigint> {
  return new Map(tree?.values.map(({ value: [author, , amount] }) => [author, BigInt(amount)]));
}

/** Undefined where nobody who earned has an address. */
async function treeOf(minted: Credits, records: readonly Payout[]): Promise<CreditsTree | undefined> {
  const paid = latestPayouts(records);
  return minted.lines.some(({ author }) => paid.has(author)) ? creditsTree(minted, paid) : undefined;
}

describe("creditsTree()", () => {
  test("R9 OpenZeppelin's library loads what was written, and verifies a proof of every leaf and of nothing else", async () => {
    await fc.assert(
      fc.asyncProperty(credits, payouts, async (minted, records) => {
        const written = await treeOf(minted, records);
        if (written === undefined) return;
        const tree = StandardMerkleTree.load(JSON.parse(JSON.stringify(written)) as typeof written);
        expect(tree.root).toBe(written.root);
        for (const [, leaf] of tree.entries()) {
          const proof = tree.getProof(leaf);
          expect(StandardMerkleTree.verify(tree.root, [...LEAF_ENCODING], leaf, proof)).toBe(true);
          expect(rootFrom(leafHash(leaf), proof)).toBe(written.root);
          const greedy = [leaf[0], leaf[1], String(BigInt(leaf[2]) + 1n)];
          expect(StandardMerkleTree.verify(tree.root, [...LEAF_ENCODING], greedy, proof)).toBe(false);
        }
      }),
      { numRuns: 30 },
    );
  });

  test("R9 a leaf is the author's key, its newest address and all that it earned; who has none is left out and counted", async () => {
    await fc.assert(
      fc.asyncProperty(credits, payouts, async (minted, records) => {
        const tree = await treeOf(minted, records);
        if (tree === undefined) return;
        const newest = latestPayouts(records);
        const expected = creditsByAuthor(minted)
          .filter(({ author }) => newest.has(author))
          .map(({ author, credits: sum }) => [hex(authorKey(author)!), newest.get(author)?.address, sum]);
        expect(tree.values.map(({ value }) => value)).toEqual(
          expected.toSorted((a, b) => (a[0]! < b[0]! ? -1 : 1)),
        );
        const total = minted.lines.reduce((sum, each) => sum + BigInt(each.credits), 0n);
        const inTree = [...leavesOf(tree).values()].reduce((a, b) => a + b, 0n);
        expect(inTree + BigInt(tree.leftOut.credits)).toBe(total);
        expect(tree.leftOut.authors).toBe(creditsByAuthor(minted).length - tree.values.length);
      }),
      { numRuns: 50 },
    );
  });

  test("R9 of two exports over a growing history no leaf of the later is lower, whatever addresses change", async () => {
    await fc.assert(
      fc.asyncProperty(credits, payouts, fc.nat(10), fc.nat(20), async (minted, records, rounds, known) => {
        const earlier = leavesOf(await treeOf(creditsAsOf(minted, rounds), records.slice(0, known)));
        const later = leavesOf(await treeOf(minted, records));
        for (const [author, amount] of earlier)
          expect(later.get(author) ?? -1n).toBeGreaterThanOrEqual(amount);
      }),
      { numRuns: 60 },
    );
  });

  test("R9 the same lines and records give the same bytes, in whatever order records came", async () => {
    await fc.assert(
      fc.asyncProperty(credits, payouts, async (minted, records) => {
        const [one, two] = [await treeOf(minted, records), await treeOf(minted, records.toReversed())];
        expect(JSON.stringify(two)).toBe(JSON.stringify(one));
      }),
      { numRuns: 30 },
    );
  });

  test("R9 where nobody has an address there is no tree, and the message says what to do", async () => {
    const minted = { run, phases, rounds: 10, lines: [fc.sample(line, 1)[0]!] };
    await expect(creditsTree(minted, new Map())).rejects.toThrow(
      /got 1 with credits and none with.*payout set/s,
    );
  });
});

test("R9 credits as of an earlier round are those of the rounds below it; later ones have not settled", () => {
  fc.assert(
    fc.property(credits, fc.nat(10), (minted, rounds) => {
      const early = creditsAsOf(minted, rounds);
      expect(early.rounds).toBe(rounds);
      expect(early.lines).toEqual(minted.lines.filter(({ round }) => round < rounds));
    }),
  );
  const minted = { run, phases, rounds: 10, lines: [] };
  expect(() => creditsAsOf(minted, 11)).toThrow(/at most 10 rounds.*got 11/);
});
