/** How long things take here, learned from round to round: what a node waits for the others. */
import type { Rule } from "./rule.ts";

/** Gossip needs some time even when rounds are short. Guess. */
const GRACE_MS_MIN = 250;
/** What a round's time is taken for before there was one. Guess. */
const ROUND_MS_FIRST = 1000;

export class Tempo {
  readonly #rule: Rule;
  #trainMs = ROUND_MS_FIRST;
  #roundMs = ROUND_MS_FIRST;

  constructor(rule: Rule) {
    this.#rule = rule;
  }

  /** After two thirds of the weight is in. */
  get graceMs(): number {
    return Math.max(GRACE_MS_MIN, this.#rule.graceShare * this.#trainMs);
  }

  /** Without two thirds. Goes by the flock's rounds: a fast node's own training is no measure for the others. */
  get patienceMs(): number {
    return this.#rule.patienceShare * Math.max(this.#trainMs, this.#roundMs);
  }

  /** Training took this long; closing does not count, it takes no time. */
  trained(ms: number): void {
    this.#trainMs = Math.max(1, ms);
  }

  /** From the start of our training until two thirds of the weight was in. */
  gathered(ms: number): void {
    this.#roundMs = Math.max(ROUND_MS_FIRST, ms);
  }
}
