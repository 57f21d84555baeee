/**
 * All parameter-sized arrays of a node and all that is done to them: fold, train, encode, hash, evaluate. It lives in
 * a worker thread (thread.ts), so that the network's event loop never waits for arithmetic, and is asked to stop
 * between steps; nothing ever terminates it inside one.
 *
 * Arrays, (P,) each: weights and settled are int32 fixed point; residual too; the engine holds float32 weights and
 * AdamW's two moments.
 */
import { accumulateResidual, codecAt, decodeDelta, encodeDelta, trainingStart } from "../../codec/index.ts";
import type { FoldPlan, TrainOrder } from "../../consensus/index.ts";
import {
  type Clock,
  type ContributionId,
  type Digest,
  type Verdict,
  accept,
  assert,
  bytesOf,
  saturate,
  toFloats,
} from "../../core/index.ts";
import {
  Decoder,
  GATES_DEFAULT,
  GATES_OFF,
  type GenerateOptions,
  type ShardSource,
  type Tokenizer,
  generate,
  heldOutBatches,
  tensorLengths,
} from "../../trainer/index.ts";
import { partsOf } from "../data/given-documents.ts";
import { createShardSource, tokenizerOf } from "../data/run-data.ts";
import { type Evaluation, measure } from "../model/measure.ts";
import { modelFolderFiles } from "../model/folder.ts";
import { cheat } from "./cheat.ts";
import { Devices, type DevicesDeps } from "./devices.ts";
import { Judge, type Judged, type Judgement } from "./judge.ts";
import { rootsOf, stateRoot } from "./state-root.ts";
import { type DeltaBody, FoldedWeights } from "./folded-weights.ts";
import { type LearnerFacts, type LearnerOptions, startWeights } from "./options.ts";
import type { OwnDeltas, RoundResult } from "./protocol.ts";
import { NO_STEPS, type Steps } from "./stepper.ts";
import { type Trainers, openOneTrainer } from "./trainers.ts";

export type Which = "start" | "current" | "settled";

export interface LearnerDeps extends DevicesDeps {
  /** What no other node knows: by it the gates look here and not there. */
  readonly secret: string;
}

export class Learner {
  readonly #options: LearnerOptions;
  readonly #clock: Clock;
  readonly #trainers: Trainers;
  readonly #lengths: readonly number[];
  readonly #shards: ShardSource;
  readonly #tokenizer: Tokenizer;
  readonly #folded: FoldedWeights;
  readonly #residual: Int32Array;
  /** Of moments and residual as they are; undefined since they changed. A round ends with what the next begins with. */
  #root: Digest | undefined;
  readonly #judge: Judge;

  static async open(options: LearnerOptions, deps: LearnerDeps): Promise<Learner> {
    const { clock, block, secret } = deps;
    const shards = createShardSource(options.data, async (cid) => accept(await block(cid)));
    const isOne = (options.devices?.length ?? 1) === 1;
    const trainers = isOne
      ? await openOneTrainer(options, { clock, shards })
      : await Devices.open(options, deps);
    return new Learner(options, { clock, shards, secret, trainers });
  }

  private constructor(
    options: LearnerOptions,
    o: Pick<LearnerDeps, "clock" | "secret"> & { shards: ShardSource; trainers: Trainers },
  ) {
    const { clock, shards, secret, trainers } = o;
    this.#options = options;
    this.#clock = clock;
    this.#trainers = trainers;
    this.#lengths = tensorLengths(options.model);
    this.#shards = shards;
    this.#tokenizer = tokenizerOf(options.data.tokenizerFile);
    this.#folded = new FoldedWeights({
      codec: options.codec,
      lengths: this.#lengths,
      start: () => this.#startWeights(),
    });
    this.#residual = new Int32Array(this.#folded.weights.length);
    const gates = options.cheat === undefined ? (options.gates ?? GATES_DEFAULT) : GATES_OFF;
    this.#judge = new Judge(gates, clock, secret);
  }

  facts(): LearnerFacts {
    return { startRoot: this.#folded.root(), zeroState: this.#stateRoot() };
  }

  hold(id: ContributionId, body: DeltaBody): Verdict<number> {
    return this.#folded.hold(id, body);
  }

  /** What the gates say of contributions whose deltas are held. */
  judge(round: number, candidates: readonly Judged[]): Judgement {
    return this.#judge.judge(round, candidates, {
      start: this.#folded.weights,
      end: this.#trainers.state.weights,
      deltaOf: (id) => this.#folded.deltaOf(id),
    });
  }

  fold(plan: FoldPlan): { settledWeights: Digest } {
    this.#judge.folded(plan.rounds.flatMap(({ terms }) => terms.map(({ id }) => id)));
    this.#folded.fold(plan);
    return { settledWeights: this.#folded.settledRoot() };
  }

  startFrom(round: number, weights: Int32Array): void {
    this.#folded.startFrom(round, weights);
  }

  #startWeights(): Int32Array {
    return startWeights(this.#options);
  }

  /**
   * One round: start = weights - inStart * residual; train; residual = beta * residual + (start - end); encode;
   * residual -= decoded. Before, own deltas that history left out come back into the residual, and those that it took
   * after all go out. With 0 steps done (closing, or every step failed) there is no delta. `keep` stores the state's parts
   * and answers with their roots, so that they are hashed once.
   */
  async train(
    order: TrainOrder,
    own: OwnDeltas,
    keep: (parts: ReadonlyMap<string, Uint8Array>) => Promise<ReadonlyMap<string, Digest>> = async (parts) =>
      rootsOf(parts),
  ): Promise<RoundResult> {
    for (const body of own.restore) this.#addToResidual(body, 1);
    for (const body of own.withdraw) this.#addToResidual(body, -1);
    const stateBefore = this.#stateRoot();
    this.#root = undefined;
    const startedMs = this.#clock.nowMs();
    const steps = order.closing ? NO_STEPS : await this.#steps(order);
    const trainingMs = this.#clock.nowMs() - startedMs;
    const delta = steps.count === 0 ? null : this.#encode(order.settledTokens);
    if (delta !== null) this.#judge.trained(order.round);
    const done = delta === null ? NO_STEPS : steps;
    const stateAfter = stateRoot(await keep(this.state()));
    this.#root = stateAfter;
    const result = {
      start: this.#folded.root(),
      work: {
        steps: done.count,
        tokens: done.count * this.#tokensPerStep,
        lossFirst: done.lossFirst,
        lossLast: done.lossLast,
        stateBefore,
        stateAfter,
        engine: this.#trainers.engine,
      },
    };
    const { devicesCount } = this.#trainers;
    return { result, delta, trainingMs, stepsNotApplied: steps.notAppliedCount, devicesCount };
  }

  /** Asks a round to end after the step it is in, or after its first when it has not begun. */
  hurry(round: number): void {
    this.#trainers.hurry(round);
  }

  #steps(order: TrainOrder): Promise<Steps> {
    const { weights } = this.#folded;
    const { residualInStart = 0 } = this.#options;
    trainingStart(this.#trainers.state.weights, { weights, residual: this.#residual }, residualInStart);
    // The header names the root of what training starts from; it is hashed where this thread would only wait for a step.
    return this.#trainers.train(order, () => void this.#folded.root());
  }

  #encode(settledTokens: number): { bytes: Uint8Array; norm: number } | null {
    const { residualBeta, residualInStart = 0, codec, cheat: kind } = this.#options;
    const { weights } = this.#folded;
    const end = this.#trainers.state.weights;
    if (kind !== undefined) cheat(kind, weights, end);
    if (!accumulateResidual(this.#residual, weights, end, residualBeta - residualInStart)) return null;
    return encodeDelta(this.#residual, this.#lengths, codecAt(codec, settledTokens));
  }

  #addToResidual({ bytes, settledTokens }: DeltaBody, sign: 1 | -1): void {
    this.#root = undefined;
    const decoded = decodeDelta(bytes, this.#lengths, codecAt(this.#options.codec, settledTokens));
    assert(decoded.kind === "accept", "a delta of our own is whole: its block's hash was checked");
    for (let i = 0; i < this.#residual.length; i++) {
      const sum = (this.#residual[i] as number) + sign * (decoded.value[i] as number);
      this.#residual[i] = saturate(sum);
    }
  }

  /**
   * Mean nats per token over at most `batchesMax` fixed held-out batches. The current weights are what was folded last, and
   * are asked for between a fold and the training after it: they are put where training begins, which has no other use then.
   */
  async evaluate(which: Which, batchesMax: number): Promise<number> {
    const { batch, model } = this.#options;
    const floats = {
      start: () => toFloats(this.#startWeights()),
      current: () => toFloats(this.#folded.weights, this.#trainers.state.weights),
      settled: () => toFloats(this.#folded.settled),
    };
    const weights = floats[which]();
    const batches = await heldOutBatches(this.#shards, {
      sequences: batch.sequences,
      contextLength: model.contextLength,
      batchesMax,
    });
    let sum = 0;
    for (const tokens of batches) sum += await this.#trainers.evaluate(tokens, weights);
    return sum / batches.length;
  }

  /** Text that the settled model writes, from a copy of its weights, so that training can go on in between. */
  async *generate(options: GenerateOptions): AsyncGenerator<string> {
    const { model, threads } = this.#options;
    const { weights } = this.settledFloats();
    const decoder = await Decoder.open({ model, weights, threads });
    try {
      yield* generate(decoder, this.#tokenizer, options);
    } finally {
      await decoder.close();
    }
  }

  /** The loss of the settled model on a text, from a copy of its weights. Throws `DATA_TOO_SHORT`. */
  measure(text: string): Promise<Evaluation> {
    const { model, threads } = this.#options;
    const { weights } = this.settledFloats();
    return measure({ model, weights, tokenizer: this.#tokenizer, threads }, partsOf([text]));
  }

  /** A copy of the settled weights, (P,), and their root. */
  settledFloats(): { weights: Float32Array; weightsRoot: Digest } {
    const { settled } = this.#folded;
    const weights = toFloats(settled);
    return { weights, weightsRoot: this.#folded.settledRoot() };
  }

  /** The settled weights as the files of a Hugging Face folder, and their root. */
  exported(card: string): { files: Map<string, Uint8Array>; weightsRoot: Digest } {
    const { model, data } = this.#options;
    const files = modelFolderFiles({
      model,
      weights: this.#folded.settled,
      tokenizerFile: data.tokenizerFile,
      card,
    });
    return { files, weightsRoot: this.#folded.settledRoot() };
  }

  /** A copy, (P,) in fixed point. */
  get settledWeights(): Int32Array {
    return this.#folded.settled.slice();
  }

  get settledBytes(): Uint8Array {
    return bytesOf(this.#folded.settled);
  }

  /** Moments and residual as named parts, to be stored. */
  state(): Map<string, Uint8Array> {
    const { moment1, moment2, stepsCount } = this.#trainers.state;
    return new Map([
      ["moment1", bytesOf(moment1)],
      ["moment2", bytesOf(moment2)],
      ["residual", bytesOf(this.#residual)],
      ["steps", new TextEncoder().encode(String(stepsCount))],
    ]);
  }

  /** Takes stored parts back; false, and an empty state, when they are not the ones that `stateAfter` names. */
  resume(parts: ReadonlyMap<string, Uint8Array>, stateAfter: Digest): boolean {
    const { state } = this.#trainers;
    const arrays = { moment1: state.moment1, moment2: state.moment2, residual: this.#residual };
    this.#root = undefined;
    for (const [name, array] of Object.entries(arrays)) {
      const stored = parts.get(name);
      if (stored?.length === array.byteLength) bytesOf(array).set(stored);
    }
    state.stepsCount = Number(new TextDecoder().decode(parts.get("steps")));
    const isRight = this.#stateRoot() === stateAfter;
    if (!isRight) {
      for (const array of Object.values(arrays)) array.fill(0);
      state.stepsCount = 0;
      this.#root = undefined;
    }
    return isRight;
  }

  #stateRoot(): Digest {
    return (this.#root ??= stateRoot(rootsOf(this.state())));
  }

  get #tokensPerStep(): number {
    return this.#options.batch.sequences * this.#options.model.contextLength;
  }

  close(): Promise<void> {
    return this.#trainers.close();
  }
}
