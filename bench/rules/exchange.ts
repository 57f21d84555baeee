/** The port of a rule: how peers combine what they learned in a round. Arrays are (P,) float32 weights. */

/** What one peer did in one round. */
export interface Turn {
  readonly peer: number;
  /** Weights after its inner steps; valid only until `combine` returns. */
  readonly end: Float32Array;
  readonly tokens: number;
  /** It votes for its like and for nobody else, and its residual is a lie. */
  readonly isHostile: boolean;
}

export interface Exchange {
  /** Where a peer starts the next round; not to be written to. */
  startOf(peer: number): Float32Array;
  /** Takes the turns of those who were there; returns the bytes that all of them sent together. */
  combine(turns: readonly Turn[]): number;
  /** The models that a user could take home; their mean loss counts. */
  models(): readonly Float32Array[];
  /** Of what attackers sent, the share that was averaged in so far; null: there are none. Absent: all of it. */
  hostileIncludedShare?(): number | null;
}

/** What a rule is made from. */
export interface Flock {
  readonly peersCount: number;
  /** Everybody's first weights, (P,): fixed point, so that rules in integers start exactly there. */
  readonly start: Int32Array;
  /** Element count of each tensor, in order. */
  readonly lengths: readonly number[];
  readonly roundsCount: number;
  readonly seed: number;
}

export const FLOAT_BYTES = 4;

/** mean[i] = sum_j w_j x_j[i] / sum_j w_j, accumulated in float64. */
export function weightedMean(vectors: readonly Float32Array[], weights: readonly number[]): Float32Array {
  const total = weights.reduce((a, b) => a + b, 0);
  const mean = new Float32Array(vectors[0]?.length ?? 0);
  for (let i = 0; i < mean.length; i++) {
    let sum = 0;
    for (let j = 0; j < vectors.length; j++)
      sum += (weights[j] as number) * ((vectors[j] as Float32Array)[i] as number);
    mean[i] = sum / total;
  }
  return mean;
}

/** float[i] = fixed[i] / 2^24. */
export function floatsOf(fixed: Int32Array): Float32Array {
  return Float32Array.from(fixed, (value) => value / 2 ** 24);
}
