/**
 * SparseLoCo (Sarfi et al. 2025, arXiv 2508.15706, algorithm 1): top-k of each chunk with error feedback, 2 bits per
 * value, no outer momentum. Quantiser and bytes as the authors' code has them: four bins around the tensor's mean, six
 * standard deviations wide, each decoding to its mean; 12 bits per index.
 *
 *   e <- beta e + (phi - theta);  D = Q(TopK(e));  e <- e - D;  phi <- phi - alpha mean_j D_j
 */
import { type Exchange, type Flock, floatsOf } from "../exchange.ts";
import type { RuleOptions } from "../settings.ts";

const CHUNK = 4096; // From: the paper, 64 x 64
const BINS = 4;
const INDEX_BITS = 12;
const VALUE_BITS = 2;
/** Four decoded values and the shift, float32. */
const TABLE_BYTES = 20;

export function sparseloco({ start, peersCount, lengths }: Flock, options: RuleOptions): Exchange {
  const beta = options.residualBeta ?? 0.95; // From: the paper, table of best values
  const alpha = options.outerRate ?? 1; // From: the paper, the same
  const keep = options.keepPerChunk ?? 64; // From: the paper, 32 to 128
  const phi = floatsOf(start);
  const residuals = Array.from({ length: peersCount }, () => new Float32Array(phi.length));
  return {
    startOf: () => phi,
    combine(turns) {
      let bytes = 0;
      const sum = new Float64Array(phi.length);
      for (const { peer, end } of turns) {
        const e = residuals[peer] as Float32Array;
        for (let i = 0; i < e.length; i++)
          e[i] = beta * (e[i] as number) + ((phi[i] as number) - (end[i] as number));
        let at = 0;
        for (const length of lengths) {
          bytes += sendTensor(e.subarray(at, at + length), sum.subarray(at, at + length), keep);
          at += length;
        }
      }
      for (let i = 0; i < phi.length; i++)
        phi[i] = (phi[i] as number) - (alpha * (sum[i] as number)) / turns.length;
      return bytes;
    },
    models: () => [phi],
  };
}

/** Moves what is sent of one tensor from e to sum, both (L,); returns its bytes. */
function sendTensor(e: Float32Array, sum: Float64Array, keep: number): number {
  const kept: number[] = [];
  for (let at = 0; at < e.length; at += CHUNK) {
    const length = Math.min(CHUNK, e.length - at);
    const order = Array.from({ length }, (_, i) => at + i).sort(
      (a, b) => Math.abs(e[b] as number) - Math.abs(e[a] as number) || a - b,
    );
    kept.push(...order.slice(0, Math.ceil((keep * length) / CHUNK)));
  }
  const values = kept.map((i) => e[i] as number);
  const decoded = quantise(values);
  kept.forEach((i, j) => {
    sum[i] = (sum[i] as number) + (decoded[j] as number);
    e[i] = (e[i] as number) - (decoded[j] as number);
  });
  return Math.ceil((kept.length * (INDEX_BITS + VALUE_BITS)) / 8) + TABLE_BYTES;
}

function quantise(values: readonly number[]): number[] {
  const n = values.length;
  const shift = values.reduce((a, b) => a + b, 0) / n;
  const sigma = Math.sqrt(values.reduce((a, b) => a + (b - shift) ** 2, 0) / Math.max(1, n - 1));
  const scale = (6 * sigma) / BINS;
  const codes = values.map((v) =>
    scale === 0 ? 0 : Math.min(BINS - 1, Math.max(0, Math.round((v - shift) / scale + BINS / 2))),
  );
  const sums = new Float64Array(BINS);
  const counts = new Float64Array(BINS);
  codes.forEach((code, j) => {
    sums[code] = (sums[code] as number) + (values[j] as number);
    counts[code] = (counts[code] as number) + 1;
  });
  return codes.map((code) => (sums[code] as number) / (counts[code] as number));
}
