/** What can be had of the settled model while the node goes on training: files, text, losses and the weights. */
import { type RunId, StarlingError, assert } from "../../core/index.ts";
import { type GenerateOptions, modelTensors, parametersCount, tensorViews } from "../../trainer/index.ts";
import { contributorsOf } from "../credits/credits.ts";
import type { LearnerClient } from "../learner/client.ts";
import { phaseOf } from "../run/manifest.ts";
import type { Evaluation } from "./measure.ts";
import { modelCard } from "./card.ts";
import type { Participation } from "../participation.ts";
import type { NodeStatus, SettledStatus } from "../status.ts";

export interface SettledModelDeps {
  readonly run: RunId;
  /** Undefined before the node has started. */
  participation(): Participation | undefined;
  status(): NodeStatus;
}

/** Weights as arrays, by Hugging Face's names, matrices as (out, in); a part of each below 2^-24 is rounded away. */
export interface SettledWeights {
  readonly phase: number;
  /** Null before anything has settled: then they are the start's. */
  readonly settled: SettledStatus | null;
  readonly tensors: ReadonlyMap<string, { readonly shape: readonly number[]; readonly values: Float32Array }>;
}

export class SettledModel {
  readonly #deps: SettledModelDeps;

  constructor(deps: SettledModelDeps) {
    this.#deps = deps;
  }

  /** Writes a Hugging Face folder; the files' names. Throws `NOT_READY`. */
  async exportTo(out: string): Promise<string[]> {
    const { learner, participation } = this.#opened();
    for (;;) {
      const status = this.#deps.status();
      const card = this.#card(participation, status);
      const { files, weightsRoot } = await learner.exportTo(out, card);
      // A round may settle in between; then the card would tell of other weights.
      if (status.settled === null || weightsRoot === status.settled.weightsRoot) return files;
    }
  }

  /** A copy, which takes 4 bytes of memory per parameter. Throws `NOT_READY`. */
  async weights(): Promise<SettledWeights> {
    const { learner, participation } = this.#opened();
    for (;;) {
      const { weights, weightsRoot } = await learner.settledFloats();
      const { settled, phase } = this.#deps.status();
      // A round may settle, or a phase end, in between.
      if (settled !== null && weightsRoot !== settled.weightsRoot) continue;
      const { manifest } = participation;
      assert(manifest !== undefined, "whoever has a learner has the manifest");
      const { model } = phaseOf(manifest, phase);
      if (weights.length !== parametersCount(model)) continue;
      const values = tensorViews(model, weights);
      const named = modelTensors(model).map(
        ({ name, shape }) => [name, { shape, values: values.get(name) as Float32Array }] as const,
      );
      return { phase, settled, tensors: new Map(named) };
    }
  }

  /** The mean loss on a text of one's own, by the run's tokenizer. Throws `NOT_READY`, `DATA_TOO_SHORT`. */
  async measure(text: string): Promise<Evaluation> {
    return this.#opened().learner.measure(text);
  }

  /** Throws `NOT_READY`, `GENERATE_BUSY`. */
  async *generate(options: GenerateOptions): AsyncGenerator<string> {
    const { learner } = this.#opened();
    const text = await learner.openText(options);
    try {
      for (let said = await learner.nextText(text); said !== null; said = await learner.nextText(text))
        yield said;
    } finally {
      // Also when nobody wants the rest.
      await learner.closeText(text);
    }
  }

  #opened(): { participation: Participation; learner: LearnerClient["learner"] } {
    const participation = this.#deps.participation();
    if (participation?.learner === undefined || participation.loop === undefined) throw notReady("model");
    return { participation, learner: participation.learner.learner };
  }

  #card({ manifest, data, phase, climb }: Participation, status: NodeStatus): string {
    assert(manifest !== undefined && data !== undefined, "whoever has a learner has manifest and data");
    const views = (climb?.machines ?? []).map(({ view }) => view);
    const { settled, tokensTotal, validationLossNats, validationLossFirstNats, validationLossLastNats } =
      status;
    return modelCard({
      manifest,
      data,
      phase,
      settled,
      tokensTotal,
      contributors: contributorsOf({ run: this.#deps.run, manifest, views }),
      lossFirstNats: validationLossFirstNats,
      lossLastNats: validationLossLastNats ?? validationLossNats,
    });
  }
}

export function notReady(what: string): StarlingError {
  return new StarlingError(
    "NOT_READY",
    `expected a node that has its ${what}: it is still fetching the run, try again`,
  );
}
