/**
 * Who is averaged in when peers judge what they cite: every honest peer puts every delta through gates of its own and cites
 * what passes; hostile ones cite each other and nobody else; what half of the peers cite is in. A loss test is the same
 * for everybody (same weights, same batch, same engine), so each is done once here.
 */
import type { DeltaReader } from "../../src/codec/index.ts";
import { foldRound } from "../../src/consensus/index.ts";
import { GATES_DEFAULT, Gates, type GateSettings } from "../../src/trainer/index.ts";
import { type Flock, type Turn, floatsOf } from "./exchange.ts";
import type { GateName } from "./settings.ts";

export interface Sent extends Turn {
  readonly reader: DeltaReader;
  readonly norm: number;
}

/** Least gain on the author's own batch that a loss test asks for, nats per token: nothing gains 0. Guess. */
const GAIN_NATS_MIN = 1e-4;

export class Election {
  readonly #names: readonly GateName[];
  readonly #lossOf: Flock["lossOf"];
  readonly #judges = new Map<number, Gates>();
  #round = 0;

  constructor(names: readonly GateName[], { lossOf }: Pick<Flock, "lossOf">) {
    this.#names = names;
    this.#lossOf = lossOf;
  }

  /** `sent`: in the order in which everybody hears of them; `weights`: where all started, (P,). */
  async elected<T extends Sent>(sent: readonly T[], weights: Int32Array): Promise<T[]> {
    const gaining = this.#names.includes("loss") ? await this.#gaining(sent, weights) : new Set(sent);
    const honest = sent.filter(({ isHostile }) => !isHostile);
    const votes = new Map(sent.map((delta) => [delta, delta.isHostile ? sent.length - honest.length : 0]));
    for (const judge of honest) {
      for (const delta of this.#citedBy(judge, sent, weights))
        if (delta === judge || gaining.has(delta)) votes.set(delta, (votes.get(delta) ?? 0) + 1);
    }
    const included = sent.filter((delta) => 2 * (votes.get(delta) ?? 0) >= sent.length);
    for (const gates of this.#judges.values()) gates.include(included.map((delta) => this.#nameOf(delta)));
    this.#round += 1;
    return included;
  }

  #citedBy<T extends Sent>(judge: T, sent: readonly T[], weights: Int32Array): T[] {
    const { peer, end } = judge;
    const gates = this.#judges.get(peer) ?? new Gates(settingsOf(this.#names));
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

  /** Those that lower the loss on their own batch. */
  async #gaining<T extends Sent>(sent: readonly T[], weights: Int32Array): Promise<Set<T>> {
    const before = floatsOf(weights);
    const gaining = new Set<T>();
    for (const delta of sent) {
      const after = weights.slice();
      foldRound(after, [{ reader: delta.reader, factor: 2 ** 20 }], 1);
      const gainNats =
        (await this.#lossOf(before, delta.batch)) - (await this.#lossOf(floatsOf(after), delta.batch));
      if (gainNats >= GAIN_NATS_MIN) gaining.add(delta);
    }
    return gaining;
  }
}

/** A gate that is off lets everything pass. */
function settingsOf(names: readonly GateName[]): GateSettings {
  return {
    cosineShare: names.includes("cosine") ? GATES_DEFAULT.cosineShare : 0,
    copyCosine: names.includes("copy") ? GATES_DEFAULT.copyCosine : 1,
  };
}
