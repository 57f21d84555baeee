/**
 * Credits as a Merkle tree in the standard encoding of OpenZeppelin: leaves are keccak256(keccak256(abi.encode(...))),
 * sorted, and pairs are hashed in order, so that MerkleProof.sol verifies a claim. No token and no chain in here.
 *
 *   leaf = (bytes32 author, address payTo, uint256 credits)      author: the Ed25519 key that its peer id spells
 *
 * `credits` is cumulative: all that the author ever earned. Who pays counts what was claimed per author, never per
 * address, and pays the difference: so an author may change its address, or share one, and nothing is paid twice.
 * Authors without an address are left out, and counted.
 */
import { type Address, type Payout, authorKey } from "../../consensus/index.ts";
import { type PeerId, type RunId, StarlingError, assert } from "../../core/index.ts";
import { type Credits, creditsByAuthor } from "./credits.ts";

export const LEAF_ENCODING: readonly string[] = ["bytes32", "address", "uint256"];

type Leaf = [author: string, payTo: Address, credits: string];

/** `StandardMerkleTree.load` takes it as it is; what comes before `format` is for people. */
export interface CreditsTree {
  readonly run: RunId;
  /** Settled rounds that are counted. */
  readonly rounds: number;
  readonly root: string;
  /** What authors without an address have earned. */
  readonly leftOut: { readonly authors: number; readonly credits: string };
  readonly format: "standard-v1";
  readonly leafEncoding: string[];
  readonly tree: string[];
  readonly values: { readonly value: Leaf; readonly treeIndex: number }[];
}

/**
 * The same credits and the same records give the same bytes, in whatever order the records came.
 * @throws StarlingError `CREDITS_UNPAYABLE` when nobody who earned anything has an address: there is no empty tree.
 */
export async function creditsTree(
  credits: Credits,
  payouts: ReadonlyMap<PeerId, Payout>,
): Promise<CreditsTree> {
  const leaves: Leaf[] = [];
  const leftOut = { authors: 0, credits: 0n };
  for (const total of creditsByAuthor(credits)) {
    const payout = payouts.get(total.author);
    if (payout === undefined) {
      leftOut.authors += 1;
      leftOut.credits += BigInt(total.credits);
    } else leaves.push([leafKey(total.author), payout.address, total.credits]);
  }
  if (leaves.length === 0) {
    throw new StarlingError(
      "CREDITS_UNPAYABLE",
      `expected an author with credits and a payout address, got ${leftOut.authors} with credits and none with an ` +
        `address; "starling payout set" makes a record, --payouts takes those of others`,
    );
  }
  // Loaded when needed: it would slow every other command down (measured: 0.06 s of CPU, 40 packages).
  const { StandardMerkleTree } = await import("@openzeppelin/merkle-tree");
  const tree = StandardMerkleTree.of(
    leaves.sort(([a], [b]) => (a < b ? -1 : 1)),
    [...LEAF_ENCODING],
  );
  const { run, rounds } = credits;
  return {
    run,
    rounds,
    root: tree.root,
    leftOut: { ...leftOut, credits: String(leftOut.credits) },
    ...tree.dump(),
  };
}

function leafKey(author: PeerId): string {
  const key = authorKey(author);
  assert(key !== undefined, "authors of contributions have Ed25519 peer ids");
  return `0x${Buffer.from(key).toString("hex")}`;
}
