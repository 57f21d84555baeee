/** Which bodies are here: what can be folded, and what of it may be cited. */
import type { ContributionId } from "../core/index.ts";
import { Marks } from "./marks.ts";
import type { Contribution, View } from "./view.ts";

/** Bodies before their headers; the oldest gives way. Guess: they come one by one. */
const EARLY_MAX = 64;
const HELD = 1;
const PASSED = 2;

export class Holdings {
  /** Contributions that can be folded, because the body is here or there is none; and whether they may be cited. */
  readonly #held = new Marks();
  /** The same of bodies that came before their header was linked: whether it passed. */
  readonly #early = new Map<ContributionId, boolean>();
  /** Included sets whose bodies are all here. */
  #complete = new WeakSet<readonly Contribution[]>();

  /** `passed`: it may be cited. What has passed once stays so. */
  hold(c: Contribution, passed: boolean): void {
    if (passed) this.#held.set(c.header.round, c.place, PASSED);
    else if (!this.holds(c)) this.#held.set(c.header.round, c.place, HELD);
  }

  /** The header is not linked yet. */
  holdEarly(id: ContributionId, passed: boolean): void {
    this.#early.set(id, passed || this.#early.get(id) === true);
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
