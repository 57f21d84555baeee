/** Which bodies are here: what can be folded, and what of it may be cited. */
import type { ContributionId } from "../core/index.ts";
import type { Contribution, View } from "./view.ts";

export class Holdings {
  /** Contributions that can be folded, because the body is here or there is none; and whether they may be cited. */
  readonly #held = new Map<ContributionId, boolean>();
  /** Included sets whose bodies are all here. */
  #complete = new WeakSet<readonly Contribution[]>();

  /** `passed`: it may be cited. What has passed once stays so. */
  hold(id: ContributionId, passed: boolean): void {
    if (passed || !this.#held.has(id)) this.#held.set(id, passed);
  }

  holds(id: ContributionId): boolean {
    return this.#held.has(id);
  }

  hasPassed(id: ContributionId): boolean {
    return this.#held.get(id) === true;
  }

  /** What a view includes from a round on and cannot be folded yet. */
  missing(view: View, fromRound: number): Contribution[] {
    const missing: Contribution[] = [];
    for (let r = fromRound; r < view.round; r++) {
      const included = view.included(r);
      if (this.#complete.has(included)) continue;
      const lacking = included.filter(({ id }) => !this.#held.has(id));
      if (lacking.length === 0) this.#complete.add(included);
      missing.push(...lacking);
    }
    return missing;
  }

  clear(): void {
    this.#held.clear();
    this.#complete = new WeakSet();
  }
}
