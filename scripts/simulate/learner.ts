/**
 * What training is in a simulation: it takes virtual time and "learns" seeded noise over a small vector. Deltas, error
 * feedback and state roots are real.
 */
import { codecAt, decodeDelta, encodeDelta } from "../../src/codec/index.ts";
import type { DeltaLink, Trained } from "../../src/consensus/index.ts";
import { RAW, SeededRandom, assert, bytesOf, cidOf, rootOfBytes } from "../../src/core/index.ts";
import type { Body, Shape } from "./parcel.ts";

export interface LearnerOptions {
  /** Seeds what is learned. */
  readonly name: string;
  readonly shape: Shape;
  readonly tokensPerStep: number;
}

/** A round of training. */
export interface Lesson {
  readonly round: number;
  readonly steps: number;
  /** The codec's position. */
  readonly settledTokens: number;
  /** Own deltas that go back into the residual, and that go out of it again. */
  readonly restored: readonly Body[];
  readonly withdrawn: readonly Body[];
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

  /** Nothing that it learned is left to be accounted for: neither residual nor deltas. */
  forget(): void {
    this.#residual.fill(0);
    this.#learned.fill(0);
  }

  /** These own bodies need not be accounted for any more. */
  close(bodies: readonly Body[]): void {
    for (const body of bodies) addInto(this.#learned, this.#decode(body), -1);
  }

  /** What it learned less the residual and these own bodies. */
  unaccounted(bodies: readonly Body[]): Int32Array {
    const rest = this.#learned.slice();
    addInto(rest, this.#residual, -1);
    for (const body of bodies) addInto(rest, this.#decode(body), -1);
    return rest;
  }

  /** residual += restored - withdrawn + learned; encode; what was encoded leaves the residual. */
  learn(lesson: Lesson): { trained: Omit<Trained, "start">; body: Body | null } {
    const { name, shape, tokensPerStep } = this.#options;
    const { round, steps } = lesson;
    const residual = this.#residual;
    for (const body of lesson.restored) addInto(residual, this.#decode(body), 1);
    for (const body of lesson.withdrawn) addInto(residual, this.#decode(body), -1);
    const stateBefore = rootOfBytes(bytesOf(residual));
    let body: Body | null = null;
    let delta: DeltaLink | null = null;
    if (steps > 0) {
      const random = new SeededRandom(`${name}/${round}/learned`);
      const learned = residual.map(() => random.below(2 * LEARNED_MAX) - LEARNED_MAX);
      addInto(residual, learned, 1);
      addInto(this.#learned, learned, 1);
      const codec = codecAt(shape.codec, lesson.settledTokens);
      const { bytes, norm } = encodeDelta(residual, shape.lengths, codec);
      body = { bytes, codec };
      delta = { cid: cidOf(bytes, RAW), bytes: bytes.length, norm };
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
    return { trained: { delta, work }, body };
  }

  #decode({ bytes, codec }: Body): Int32Array {
    const decoded = decodeDelta(bytes, this.#options.shape.lengths, codec);
    assert(decoded.kind === "accept", "our own delta decodes");
    return decoded.value;
  }
}

function addInto(sum: Int32Array, values: Int32Array, sign: 1 | -1): void {
  for (let i = 0; i < sum.length; i++) sum[i] += sign * values[i];
}
