/** Which bodies are here: what can be folded, and what of it may be cited. */
import type { ContributionId } from "../core/index.ts";
import { Marks } from "./marks.ts";
import type { Contribution, View } from "./view.ts";

/** Bodies before their headers; the oldest gives way. Guess: they come one by one. */
const EARLY_MAX = 64;
const REFUSED = 1;
const UNDECIDED = 2;
const PASSED = 3;

/** What our gates say of a body: true: it may be cited; null: nothing yet. */
type Passed = boolean | null;

export class Holdings {
  /** Contributions that can be folded, because the body is here or there is none; and whether they may be cited. */
  readonly #held = new Marks();
  /** The same of bodies that came before their header was linked: whether it passed. */
  readonly #early = new Map<ContributionId, Passed>();
  /** Included sets whose bodies are all here. */
  #complete = new WeakSet<readonly Contribution[]>();

  /** The gates may think again, but what they have judged is not undecided any more. */
  hold(c: Contribution, passed: Passed): void {
    if (passed === null && this.holds(c)) return;
    this.#held.set(c.header.round, c.place, passed === null ? UNDECIDED : passed ? PASSED : REFUSED);
  }

  /** The header is not linked yet. */
  holdEarly(id: ContributionId, passed: Passed): void {
    this.#early.set(id, passed);
    const [oldest] = this.#early.keys();
    if (oldest !== undefined && this.#early.size > EARLY_MAX) this.#early.delete(oldest);
  }

  /** Its header is linked now. */
  link(c: Contribution): void {
    if (this.#early.size === 0) return;
    const passed = this.#early.get(c.id);
    if (passed === undefined) return;
    this.#early.delete(c.id);
    this.hold(c, passed);
  }

  holds(c: Contribution): boolean {
    return this.#held.get(c.header.round, c.place) !== 0;
  }

  hasPassed(c: Contribution): boolean {
    return this.#held.get(c.header.round, c.place) === PASSED;
  }

  /** The gates have yet to judge it. */
  isUndecided(c: Contribution): boolean {
    return this.#held.get(c.header.round, c.place) === UNDECIDED;
  }

  /** What a view includes from a round on and cannot be folded yet. */
  missing(view: View, fromRound: number): Contribution[] {
    const missing: Contribution[] = [];
    for (let r = fromRound; r < view.round; r++) {
      const included = view.included(r);
      if (this.#complete.has(included)) continue;
      const lacking = included.filter((c) => !this.holds(c));
      if (lacking.length === 0) this.#complete.add(included);
      missing.push(...lacking);
    }
    return missing;
  }

  clear(): void {
    this.#held.clear();
    this.#early.clear();
    this.#complete = new WeakSet();
  }
}
