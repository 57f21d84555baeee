/**
 * What training is in a simulation: it takes virtual time and "learns" seeded noise over a small vector. Deltas, error
 * feedback and state roots are real.
 */
import { decodeDelta, encodeDelta } from "../../src/codec/index.ts";
import type { Trained } from "../../src/consensus/index.ts";
import { RAW, SeededRandom, assert, bytesOf, cidOf, rootOfBytes } from "../../src/core/index.ts";
import type { Shape } from "./parcel.ts";

export interface LearnerOptions {
  /** Seeds what is learned. */
  readonly name: string;
  readonly shape: Shape;
  readonly tokensPerStep: number;
}

const LEARNED_MAX = 2 ** 18;

export class Learner {
  readonly #options: LearnerOptions;
  /** What compression dropped, as of the last contribution. (P,) */
  readonly #residual: Int32Array;

  constructor(options: LearnerOptions) {
    this.#options = options;
    this.#residual = new Int32Array(options.shape.lengths.reduce((a, b) => a + b, 0));
  }

  /** residual += restored + learned; encode; what was encoded leaves the residual. `restored`: own bodies. */
  learn(
    round: number,
    steps: number,
    restored: readonly Uint8Array[],
  ): { trained: Trained; body: Uint8Array | null } {
    const { name, shape, tokensPerStep } = this.#options;
    const residual = this.#residual;
    for (const body of restored) addInto(residual, decode(body, shape));
    const stateBefore = rootOfBytes(bytesOf(residual));
    let body: Uint8Array | null = null;
    let norm = 0;
    if (steps > 0) {
      const random = new SeededRandom(`${name}/${round}/learned`);
      for (let i = 0; i < residual.length; i++) residual[i] += random.below(2 * LEARNED_MAX) - LEARNED_MAX;
      ({ bytes: body, norm } = encodeDelta(residual, shape.lengths, shape.codec));
    }
    const work = {
      steps,
      tokens: steps * tokensPerStep,
      lossFirst: steps > 0 ? 2.5 : null,
      lossLast: steps > 0 ? 2.25 : null,
      stateBefore,
      stateAfter: rootOfBytes(bytesOf(residual)),
      engine: "flock",
    };
    return { trained: { delta: body && { cid: cidOf(body, RAW), bytes: body.length, norm }, work }, body };
  }
}

function decode(body: Uint8Array, { lengths, codec }: Shape): Int32Array {
  const decoded = decodeDelta(body, lengths, codec);
  assert(decoded.kind === "accept", "our own delta decodes");
  return decoded.value;
}

function addInto(sum: Int32Array, values: Int32Array): void {
  for (let i = 0; i < sum.length; i++) sum[i] += values[i];
}
