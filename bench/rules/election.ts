/**
 * Who is averaged in when peers judge what they cite: every honest peer puts every delta through gates of its own and cites
 * what passes; hostile ones cite each other and nobody else; what half of the peers cite is in.
 */
import type { DeltaReader } from "../../src/codec/index.ts";
import { GATES_DEFAULT, Gates, type GateSettings } from "../../src/trainer/index.ts";
import type { Turn } from "./exchange.ts";
import type { GateName } from "./settings.ts";

export interface Sent extends Turn {
  readonly reader: DeltaReader;
  readonly norm: number;
}

export class Election {
  readonly #names: readonly GateName[];
  readonly #judges = new Map<number, Gates>();
  #round = 0;

  constructor(names: readonly GateName[]) {
    this.#names = names;
  }

  /** `sent`: in the order in which everybody hears of them; `weights`: where all started, (P,). */
  elected<T extends Sent>(sent: readonly T[], weights: Int32Array): T[] {
    const honest = sent.filter(({ isHostile }) => !isHostile);
    const votes = new Map(sent.map((delta) => [delta, delta.isHostile ? sent.length - honest.length : 0]));
    for (const judge of honest) {
      for (const delta of this.#citedBy(judge, sent, weights)) votes.set(delta, (votes.get(delta) ?? 0) + 1);
    }
    const included = sent.filter((delta) => 2 * (votes.get(delta) ?? 0) >= sent.length);
    for (const gates of this.#judges.values()) gates.include(included.map((delta) => this.#nameOf(delta)));
    this.#round += 1;
    return included;
  }

  #citedBy<T extends Sent>(judge: T, sent: readonly T[], weights: Int32Array): T[] {
    const { peer, end } = judge;
    const gates = this.#judges.get(peer) ?? new Gates(settingsOf(this.#names), String(peer));
    this.#judges.set(peer, gates);
    const candidates = sent.map((delta, order) => ({
      id: this.#nameOf(delta),
      delta: delta.reader,
      order,
      weight: 1,
      isOwn: delta === judge,
    }));
    const verdicts = gates.judge(this.#round, candidates, { start: weights, end });
    return sent.filter((delta) => verdicts.get(this.#nameOf(delta))?.kind === "accept");
  }

  #nameOf({ peer }: Sent): string {
    return `${this.#round}/${peer}`;
  }
}

/** A gate that is off lets everything pass. */
function settingsOf(names: readonly GateName[]): GateSettings {
  return {
    cosineShare: names.includes("cosine") ? GATES_DEFAULT.cosineShare : 0,
    copyCosine: names.includes("copy") ? GATES_DEFAULT.copyCosine : 1,
  };
}
