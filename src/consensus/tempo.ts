/** How long things take here, learned from round to round: what a node waits for the others. */
import type { Rule } from "./rule.ts";

/** Gossip needs some time even when rounds are short. Guess. */
const GRACE_MS_MIN = 250;
/** What a round's time is taken for before there was one. Guess. */
const ROUND_MS_FIRST = 1000;
/** What it is taken for in the end when patience ends again and again: soon where it was less, slowly where it was more. Measured: docs/log.md. */
const ROUND_MS_ALONE = 4000;
/** Of the work of a round, this share is to be included. One missing of 16 is too many, one of 64 is not. Guess. */
const INCLUDED_SHARE = 0.98;
/** While it is less, the grace grows by this factor a round, and else it shrinks. Measured: docs/log.md. */
const STRETCH_MORE = 1.5;
const STRETCH_LESS = 0.95;
/** Of what rounds take, this much is remembered for the next one: soon slower, slowly faster. Guess. */
const ROUND_MS_KEPT = 0.75;
/**
 * And it grows by this factor at most: a flock that slept, or waited for its first peers, is not to wait for the dead as long; but
 * machines may be ten times as fast as others. Guess.
 */
const ROUND_MS_GROWTH = 16;
/** Whoever is late on purpose can make rounds this much longer, in graces. Guess: a fifth of the training time. */
const STRETCH_MAX = 4;

export class Tempo {
  readonly #rule: Rule;
  #trainMs = ROUND_MS_FIRST;
  #roundMs = ROUND_MS_FIRST;
  #stretch = 1;
  #trainStartedMs = 0;
  /** The last round that we trained in, in this life. */
  #trainedRound = -1;
  #collectStartedMs = 0;
  #twoThirdsAtMs: number | undefined;
  /** The last round of which two thirds came, and when. */
  #gathered: { readonly round: number; readonly atMs: number } | undefined;

  constructor(rule: Rule) {
    this.#rule = rule;
  }

  /** When a collection ends at the latest: a grace after two thirds of the weight, or after all patience. */
  get collectUntilMs(): number {
    return this.#twoThirdsAtMs === undefined
      ? this.#collectStartedMs + this.#patienceMs
      : this.#twoThirdsAtMs + this.#graceMs;
  }

  /** All patience has ended, and two thirds did not come. */
  isOverdue(nowMs: number): boolean {
    return this.#twoThirdsAtMs === undefined && nowMs >= this.collectUntilMs;
  }

  /** After two thirds of the weight is in. */
  get #graceMs(): number {
    return this.#stretch * Math.max(GRACE_MS_MIN, this.#rule.graceShare * this.#trainMs);
  }

  /** Without two thirds. Goes by the flock's rounds: a fast node's own training is no measure for the others. */
  get #patienceMs(): number {
    return this.#rule.patienceShare * Math.max(this.#trainMs, this.#roundMs);
  }

  /** Of the weight that published a round, this share was included in it. */
  included(share: number): void {
    const isEnough = share >= INCLUDED_SHARE;
    const stretch = this.#stretch * (isEnough ? STRETCH_LESS : STRETCH_MORE);
    this.#stretch = Math.min(STRETCH_MAX, Math.max(1, stretch));
  }

  startTraining(round: number, nowMs: number): void {
    this.#trainedRound = round;
    this.#trainStartedMs = nowMs;
  }

  /** Not for closing, which takes no time. */
  endTraining(nowMs: number): void {
    this.#trainMs = Math.max(1, nowMs - this.#trainStartedMs);
  }

  startCollecting(nowMs: number): void {
    this.#collectStartedMs = nowMs;
    this.#twoThirdsAtMs = undefined;
  }

  /**
   * Two thirds of the weight of a round is in. `hasTrained`: we published it ourselves, in this life or before. Whoever comes last finds
   * them there when its own training ends; so a round counts from two thirds to two thirds, for the first and the last alike.
   */
  gather(round: number, hasTrained: boolean, nowMs: number): void {
    if (this.#twoThirdsAtMs !== undefined) return;
    this.#twoThirdsAtMs = nowMs;
    const last = this.#gathered;
    this.#gathered = { round, atMs: nowMs };
    if (!hasTrained) return;
    // In an earlier life, nobody knows when it began.
    const startedMs = round === this.#trainedRound ? this.#trainStartedMs : nowMs;
    const roundMs = nowMs - (last?.round === round - 1 ? last.atMs : startedMs);
    const roundMsMax = ROUND_MS_GROWTH * Math.max(this.#trainMs, this.#roundMs);
    this.#roundMs = Math.max(ROUND_MS_FIRST, Math.min(roundMs, roundMsMax), ROUND_MS_KEPT * this.#roundMs);
  }

  /**
   * When patience has ended it, nothing is known of the flock's rounds: a newcomer, who has seen none yet, must not run ahead of
   * all others, and whoever was left behind by them must not wait for the dead for ever.
   */
  endCollecting(nowMs: number): void {
    if (!this.isOverdue(nowMs)) return;
    this.#roundMs =
      this.#roundMs < ROUND_MS_ALONE
        ? Math.min(ROUND_MS_ALONE, 2 * this.#roundMs)
        : Math.max(ROUND_MS_ALONE, ROUND_MS_KEPT * this.#roundMs);
  }
}
