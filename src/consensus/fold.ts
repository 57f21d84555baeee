/**
 * The fold: start weights minus the averaged deltas of the included sets, in exact integer arithmetic.
 *
 *   A(S)[i] = roundHalfToEven( sum over j in S of k_j * D_j[i] / 2^20 )
 *   k_j     = floor( 2^20 * eta * a_j * min(1, 2 * medianNorm / norm_j) )
 *   a_j     = w_j / sum(w),  w_j = min(tokens_j, 2 * medianTokens), the median by voting weight
 *
 * Every product and partial sum is an integer below 2^52, so any order gives the same bits. Addition is modulo
 * 2^32, so a round that was folded wrongly (because later citations changed it) is taken out again exactly.
 */
import { CHUNK_LENGTH, type DeltaReader } from "../codec/index.ts";
import { type Cid, type ContributionId, assert, roundHalfToEven } from "../core/index.ts";
import type { Contribution } from "./view.ts";
import { type WeightOf, medianTokens, weightedMedian } from "./weights.ts";

export interface FoldTerm {
  readonly id: ContributionId;
  readonly cid: Cid;
  /** k_j: an integer of at most 2^20. */
  readonly factor: number;
}

const UNIT = 2 ** 20;

/**
 * The deltas of an included set with their factors, sorted by id. `outerRate`: eta in 2^-20 units. `weightOf`: the voting
 * weight that the median of tokens goes by.
 */
export function foldTerms(
  included: readonly Contribution[],
  outerRate: number,
  weightOf: WeightOf = () => 1,
): FoldTerm[] {
  const trained = included.filter(({ header }) => header.delta !== null);
  const tokensMax = 2 * medianTokens(trained, weightOf);
  const work = trained.map(({ header }) => Math.min(header.work.tokens, tokensMax));
  const total = work.reduce((a, b) => a + b, 0);
  const norms = trained.map(({ header }) => header.delta?.norm ?? 0);
  const normMax = 2 * weightedMedian(norms, work);
  const terms = trained.map(({ id, header }, j) => {
    const norm = norms[j] as number;
    // floor(eta * w_j * min(norm, normMax) / (sum(w) * norm)) without rounding on the way.
    const clipped = BigInt(outerRate) * BigInt(work[j] as number) * BigInt(Math.min(norm, normMax));
    const factor = norm === 0 || total === 0 ? 0 : Number(clipped / (BigInt(total) * BigInt(norm)));
    return { id, cid: header.delta?.cid as Cid, factor };
  });
  return terms.sort((a, b) => (a.id < b.id ? -1 : 1));
}

/**
 * weights -= direction * A(S), in place; direction -1 takes a round out again. weights: (P,) fixed point, of the
 * layout that the deltas were opened with.
 */
export function foldRound(
  weights: Int32Array,
  terms: readonly { reader: DeltaReader; factor: number }[],
  direction: 1 | -1,
): void {
  const [first] = terms;
  if (first === undefined) return;
  for (const { reader } of terms) reader.rewind();
  const sums = new Float64Array(CHUNK_LENGTH); // zero where nothing was added
  for (let at = 0; at < weights.length;) {
    let length = 0;
    let touched = 0;
    for (const { reader, factor } of terms) {
      length = reader.addNextChunk(sums, factor);
      touched += reader.support.length;
    }
    assert(length > 0, `deltas of the layout of ${weights.length} weights end at ${at}`);
    const chunk = weights.subarray(at, at + length);
    // Sparse deltas leave most weights as they are: at 1/64, eight of them seven in eight.
    if (touched >= length) takeAll(chunk, sums, direction);
    else for (const { reader } of terms) takeSome(chunk, sums, reader.support, direction);
    at += length;
  }
}

/** chunk -= direction * average of sums, (L,); sums are zero then. */
function takeAll(chunk: Int32Array, sums: Float64Array, direction: 1 | -1): void {
  for (let i = 0; i < chunk.length; i++) takeAt(i, chunk, sums, direction);
}

/** The same of some elements; those of several deltas come once with their sum and then with zero. */
function takeSome(chunk: Int32Array, sums: Float64Array, indices: Uint16Array, direction: 1 | -1): void {
  for (let k = 0; k < indices.length; k++) takeAt(indices[k] as number, chunk, sums, direction);
}

function takeAt(i: number, chunk: Int32Array, sums: Float64Array, direction: 1 | -1): void {
  const average = roundHalfToEven((sums[i] as number) / UNIT);
  chunk[i] = (chunk[i] as number) - direction * average;
  sums[i] = 0;
}
