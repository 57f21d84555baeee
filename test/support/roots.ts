/** The settled roots that hosts named, by round: whether they live in one history. */
import type { NodeStatus } from "../../src/node/status.ts";

export class Roots {
  /** The last that a host named for a round: who goes over to another history names another one. */
  readonly #byHost = new Map<number, Map<number, string>>();

  note(host: number, { settled }: NodeStatus): void {
    if (settled === null) return;
    const roots = this.#byHost.get(host) ?? new Map<number, string>();
    this.#byHost.set(host, roots.set(settled.round, settled.root));
  }

  /** The latest round above `after` for which all of these hosts have named one and the same root. */
  common(hosts: readonly number[], after: number = 0): number | undefined {
    const [first, ...others] = hosts;
    return [...(this.#byHost.get(first ?? -1) ?? [])]
      .filter(
        ([round, root]) =>
          round > after && others.every((host) => this.#byHost.get(host)?.get(round) === root),
      )
      .map(([round]) => round)
      .toSorted((a, b) => b - a)[0];
  }

  /** Rounds for which two hosts named different roots. */
  disputed(): number[] {
    const seen = new Map<number, string>();
    const disputed = new Set<number>();
    for (const roots of this.#byHost.values())
      for (const [round, root] of roots)
        if ((seen.get(round) ?? root) === root) seen.set(round, root);
        else disputed.add(round);
    return [...disputed];
  }
}
