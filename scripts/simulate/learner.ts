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

  /** The sum of all that it ever learned. (P,) */
  readonly #learned: Int32Array;

  constructor(options: LearnerOptions) {
    this.#options = options;
    this.#residual = new Int32Array(options.shape.lengths.reduce((a, b) => a + b, 0));
    this.#learned = this.#residual.slice();
  }

  /** What it learned less the residual and these own bodies. */
  unaccounted(bodies: readonly Uint8Array[]): Int32Array {
    const rest = this.#learned.slice();
    addInto(rest, this.#residual, -1);
    for (const body of bodies) addInto(rest, decode(body, this.#options.shape), -1);
    return rest;
  }

  /** residual += restored - withdrawn + learned; encode; what was encoded leaves the residual. Own bodies. */
  learn(
    round: number,
    steps: number,
    own: { restored: readonly Uint8Array[]; withdrawn: readonly Uint8Array[] },
  ): { trained: Trained; body: Uint8Array | null } {
    const { name, shape, tokensPerStep } = this.#options;
    const residual = this.#residual;
    for (const body of own.restored) addInto(residual, decode(body, shape), 1);
    for (const body of own.withdrawn) addInto(residual, decode(body, shape), -1);
    const stateBefore = rootOfBytes(bytesOf(residual));
    let body: Uint8Array | null = null;
    let norm = 0;
    if (steps > 0) {
      const random = new SeededRandom(`${name}/${round}/learned`);
      const learned = residual.map(() => random.below(2 * LEARNED_MAX) - LEARNED_MAX);
      addInto(residual, learned, 1);
      addInto(this.#learned, learned, 1);
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

function addInto(sum: Int32Array, values: Int32Array, sign: 1 | -1): void {
  for (let i = 0; i < sum.length; i++) sum[i] += sign * values[i];
}
