/** A history of their own, made in secret in no time, and shown to everybody at once. */
import { Forger } from "../forger.ts";
import type { FlockNode } from "../flock-node.ts";
import type { Parcel } from "../parcel.ts";
import type { Strategy } from "../strategy.ts";

/** Works honestly until it turns; then it hears and says nothing more. */
export class Forker implements Strategy {
  readonly name = "forker";
  #isTurned = false;

  readonly hears = (): boolean => !this.#isTurned;

  readonly send = (parcel: Parcel, node: FlockNode): void => {
    if (!this.#isTurned) node.options.network.broadcast(node, parcel);
  };

  turn(): void {
    this.#isTurned = true;
  }
}

/** From now on they cite each other only, for so many rounds, and then send all of it. */
export function fork(forkers: readonly FlockNode[], roundsCount: number): void {
  const [first] = forkers;
  const { graph } = first.machine;
  const from = Math.min(...forkers.map(({ machine }) => machine.round)) - 1;
  const keys = forkers.map((node) => ({ node, forger: new Forger(node, `${node.index}`) }));
  const authors = new Set(forkers.map(({ peer }) => peer));
  let parents: Parameters<Forger["forge"]>[0]["parents"] = graph
    .round(from - 1)
    .filter(({ header }) => authors.has(header.author));
  for (const { strategy } of forkers) if (strategy instanceof Forker) strategy.turn();
  for (let round = from; round < from + roundsCount; round++) {
    const made = keys.map(({ node, forger }) => ({
      node,
      parcel: forger.forge({ round, parents, steps: 1 }),
    }));
    for (const { node, parcel } of made) {
      node.keep(parcel);
      node.options.network.broadcast(node, parcel);
    }
    parents = made.map(({ parcel }) => parcel);
  }
}
