/**
 * What settled history adds up to: the flock's training loss over tokens, and each author's work and credits. Rounds are
 * added once, when they settle, so a look costs the new rounds and the few unsettled ones, not the whole run.
 */
import { type CreditRule, type View, creditLines } from "../../consensus/index.ts";
import type { PeerId } from "../../core/index.ts";
import type { Curve } from "../../dashboard/index.ts";
import { Points } from "./points.ts";

/** Rounds added in one look: who opens the page of a long run must not stop the node's event loop. Guess. */
const ROUNDS_PER_LOOK = 512;

export interface AuthorWork {
  readonly contributions: number;
  readonly tokens: number;
  readonly credits: bigint;
}

export class Tally {
  readonly #rule: CreditRule | undefined;
  readonly #authors = new Map<PeerId, AuthorWork>();
  #points = new Points();
  #round = 0;
  #tokens = 0;
  /** A contribution of the last round that was counted: when it is not in history any more, all is counted anew. */
  #witness: string | undefined;

  constructor(rule: CreditRule | undefined) {
    this.#rule = rule;
  }

  get mints(): boolean {
    return this.#rule !== undefined;
  }

  get authors(): ReadonlyMap<PeerId, AuthorWork> {
    return this.#authors;
  }

  /** Takes in what has settled since the last look. */
  look(view: View): void {
    if (this.#round > 0 && view.included(this.#round - 1)[0]?.id !== this.#witness) this.#restart();
    const untilRound = Math.min(view.settledRound, this.#round + ROUNDS_PER_LOOK);
    const lines = creditLines(view, this.#rule ?? { perToken: 0 }, { fromRound: this.#round, untilRound });
    for (const { author, tokens, credits } of lines) {
      const before = this.#authors.get(author) ?? { contributions: 0, tokens: 0, credits: 0n };
      this.#authors.set(author, {
        contributions: before.contributions + 1,
        tokens: before.tokens + tokens,
        credits: before.credits + credits,
      });
    }
    for (; this.#round < untilRound; this.#round++) {
      const point = pointOf(view, this.#round, this.#tokens);
      this.#tokens = point.tokens;
      if (point.lossNats !== null) this.#points.add(point.round, point.tokens, point.lossNats);
    }
    this.#witness = view.included(this.#round - 1)[0]?.id;
  }

  /** Mean last loss of the included contributions of each round, the unsettled rounds with it. */
  curve(view: View): Curve {
    const curve = this.#points.columns();
    let tokens = this.#tokens;
    for (let round = this.#round; round < Math.min(view.round, this.#round + ROUNDS_PER_LOOK); round++) {
      const point = pointOf(view, round, tokens);
      tokens = point.tokens;
      if (point.lossNats === null) continue;
      curve.round.push(round);
      curve.tokens.push(tokens);
      curve.lossNats.push(point.lossNats);
    }
    return curve;
  }

  #restart(): void {
    this.#authors.clear();
    this.#points = new Points();
    this.#round = 0;
    this.#tokens = 0;
  }
}

function pointOf(
  view: View,
  round: number,
  tokensBefore: number,
): { round: number; tokens: number; lossNats: number | null } {
  const included = view.included(round);
  const tokens = view.counted(round).reduce((sum, work) => sum + work.tokens, tokensBefore);
  const losses = included.map(({ header }) => header.work.lossLast).filter((loss) => loss !== null);
  const lossNats = losses.length === 0 ? null : losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
  return { round, tokens, lossNats };
}
