/**
 * What hostile peers send instead of what they learned. They know everything that honest peers learned in the round,
 * and act together.
 */
import { SeededRandom } from "../../src/core/index.ts";

export const ATTACK_NAMES = [
  "flip",
  "flip10",
  "noise",
  "inner",
  "little",
  "labels",
  "copy",
  "zero",
  "replay",
  "huge",
] as const;
export type AttackName = (typeof ATTACK_NAMES)[number];

export interface Scene {
  /** Where everybody started, (P,). */
  readonly start: Float32Array;
  /** What honest peers learned, start - end, (P,) each. */
  readonly honest: readonly Float32Array[];
  /** What this attacker learned as an honest peer would (from wrong labels where the attack is `labels`), (P,). */
  readonly own: Float32Array;
  /** The first delta that this attacker ever had; undefined in its first round. */
  readonly first: Float32Array | undefined;
  readonly seed: string;
}

/** The delta that an attacker sends, (P,). */
export function attack(name: AttackName, scene: Scene): Float32Array {
  const { own, honest } = scene;
  switch (name) {
    case "flip":
      return own.map((x) => -x);
    case "flip10":
      return own.map((x) => -10 * x);
    case "noise":
      return noise(own, scene.seed);
    case "inner":
      return innerProduct(honest);
    case "little":
      return aLittleIsEnough(honest);
    case "labels":
      return own;
    case "copy":
      return (honest[0] ?? own).slice();
    case "zero":
      return own.map(() => 0);
    case "replay":
      return (scene.first ?? own).slice();
    case "huge":
      return own.map((x) => -1e6 * x);
  }
}

/** Uniform noise with the norm of the own delta. */
function noise(own: Float32Array, seed: string): Float32Array {
  const random = new SeededRandom(seed);
  const drawn = own.map(() => random.unit() - 0.5);
  const scale = norm(own) / norm(drawn);
  return drawn.map((x) => x * scale);
}

/** -mean of the honest (Xie et al. 2020, "Fall of Empires", arXiv 1903.03936), epsilon 1. */
function innerProduct(honest: readonly Float32Array[]): Float32Array {
  return moments(honest).mean.map((x) => -x);
}

/**
 * mean - z * sigma, coordinate by coordinate (Baruch et al. 2019, arXiv 1902.06156). z = 1: the paper's quantile for
 * about a third of hostile peers among 16 (its table 1 has 0.7 to 1.5).
 */
function aLittleIsEnough(honest: readonly Float32Array[]): Float32Array {
  const { mean, sigma } = moments(honest);
  return mean.map((x, i) => x - (sigma[i] as number));
}

function moments(vectors: readonly Float32Array[]): { mean: Float32Array; sigma: Float32Array } {
  const length = vectors[0]?.length ?? 0;
  const mean = new Float32Array(length);
  const sigma = new Float32Array(length);
  for (let i = 0; i < length; i++) {
    let [sum, squares] = [0, 0];
    for (const vector of vectors) {
      const x = vector[i] as number;
      sum += x;
      squares += x * x;
    }
    const average = sum / vectors.length;
    mean[i] = average;
    sigma[i] = Math.sqrt(Math.max(0, squares / vectors.length - average * average));
  }
  return { mean, sigma };
}

function norm(vector: Float32Array): number {
  let squares = 0;
  for (const x of vector) squares += x * x;
  return Math.sqrt(squares);
}

/** Wrong labels: every printable character stands for another, so what follows what is another language. */
export function flipLabels(tokens: Int32Array): Int32Array {
  return tokens.map((token) => (token >= 32 && token <= 126 ? 158 - token : token));
}
