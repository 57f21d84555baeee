/** fold.json: one included set, its factors, and the weights before and after. */
import { encodeDelta, openDelta } from "../../../src/codec/index.ts";
import { type Contribution, foldRound, foldTerms } from "../../../src/consensus/index.ts";
import {
  type ContributionId,
  DAG_CBOR,
  RAW,
  SeededRandom,
  bytesOf,
  cidOf,
  rootOfBytes,
} from "../../../src/core/index.ts";
import { textBytes } from "../../support/run-of.ts";
import { base64 } from "./support.ts";

export interface FoldVector {
  name: string;
  codec: { keepPerChunk: number; valueBits: 2 | 4 | 8 };
  lengths: number[];
  outerRate: number;
  /** `frame`: base64; null: a closing contribution. `factor`: k_j; null where there is no delta. */
  set: {
    id: string;
    weight: number;
    tokens: number;
    norm: number | null;
    frame: string | null;
    factor: number | null;
  }[];
  /** Little-endian int32, base64. */
  before: string;
  after: string;
  /** Merkle root of `after`. */
  root: string;
}

interface Case {
  name: string;
  codec: FoldVector["codec"];
  outerRate?: number;
  /**
   * Of each contribution: tokens, the width of its residual (0 makes a zero delta, null a closing), and its author's
   * voting weight, 0 where there is none.
   */
  set: [tokens: number, width: number | null, weight?: number][];
}

const LENGTHS = [200, 65, 1];
const COUNT = 266;

const cases: Case[] = [
  { name: "one alone", codec: { keepPerChunk: 4096, valueBits: 4 }, set: [[640, 20_000]] },
  {
    name: "three alike, dense",
    codec: { keepPerChunk: 4096, valueBits: 8 },
    set: [
      [640, 9000],
      [640, 9000],
      [640, 9000],
    ],
  },
  {
    name: "slow and fast, one far too long, one closing, one of zeros",
    codec: { keepPerChunk: 1000, valueBits: 2 },
    set: [
      [128, 9000],
      [640, 12_000],
      [2560, 11_000],
      [640, 900_000],
      [0, null],
      [640, 0],
    ],
  },
  {
    name: "half the outer rate, past the ends of int32",
    codec: { keepPerChunk: 4096, valueBits: 2 },
    outerRate: 2 ** 19,
    set: [
      [640, 2 ** 31],
      [1280, 2 ** 31],
    ],
  },
  {
    name: "many keys that weigh little",
    codec: { keepPerChunk: 4096, valueBits: 4 },
    set: [
      [64, 9000, 1],
      [64, 9000],
      [64, 9000, 2],
      [64, 9000],
      [2560, 12_000, 640],
      [1920, 11_000, 637],
    ],
  },
  {
    name: "nobody trained",
    codec: { keepPerChunk: 4096, valueBits: 2 },
    set: [
      [0, null],
      [0, null],
    ],
  },
];

export function foldVectors(): FoldVector[] {
  return cases.map(({ name, codec, set, outerRate = 2 ** 20 }) => {
    const members = set.map(([tokens, width, weight = 0], j) => {
      const id = cidOf(textBytes(`${name} ${j}`), DAG_CBOR) as ContributionId;
      if (width === null) return { id, weight, tokens, norm: null, bytes: null };
      return { id, weight, tokens, ...encodeDelta(integers(`${name} ${j}`, width), LENGTHS, codec) };
    });
    const weightOf = (author: string): number => members.find(({ id }) => id === author)?.weight ?? 0;
    const terms = foldTerms(members.map(contributionOf), outerRate, weightOf);
    const before = integers(name, 2 ** 32);
    const after = before.slice();
    foldRound(
      after,
      terms.map(({ id, factor }) => ({
        reader: readerOf(members.find((m) => m.id === id)?.bytes, codec),
        factor,
      })),
      1,
    );
    return {
      name,
      codec,
      lengths: LENGTHS,
      outerRate,
      set: members.map(({ id, weight, tokens, norm, bytes }) => {
        const factor = terms.find((term) => term.id === id)?.factor ?? null;
        return { id, weight, tokens, norm, frame: bytes && base64(bytes), factor };
      }),
      before: base64(before),
      after: base64(after),
      root: rootOfBytes(bytesOf(after)),
    };
  });
}

/** Uniform in [-width/2, width/2). */
function integers(seed: string, width: number): Int32Array {
  const random = new SeededRandom(seed);
  return Int32Array.from({ length: COUNT }, () => (width === 0 ? 0 : random.below(width) - width / 2));
}

function readerOf(
  bytes: Uint8Array | null | undefined,
  codec: FoldVector["codec"],
): Parameters<typeof foldRound>[1][number]["reader"] {
  const opened = openDelta(bytes ?? new Uint8Array(0), LENGTHS, codec);
  if (opened.kind !== "accept") throw new Error(opened.detail);
  return opened.value;
}

/** The little of a contribution that the fold looks at. */
function contributionOf({
  id,
  tokens,
  norm,
  bytes,
}: {
  id: ContributionId;
  tokens: number;
  norm: number | null;
  bytes: Uint8Array | null;
}): Contribution {
  const delta = bytes && { cid: cidOf(bytes, RAW), bytes: bytes.length, norm };
  // Named after its id: one author each.
  return { id, header: { author: id, delta, work: { tokens } } } as unknown as Contribution;
}
