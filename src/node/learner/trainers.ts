/**
 * What trains for a learner: one engine in the learner's own thread, or one for each device, each in a thread of its own
 * (devices.ts). Either way there is one state, before a round and after it.
 */
import type { Clock } from "../../core/index.ts";
import {
  type Engine,
  type EngineOptions,
  type ShardSource,
  type TrainingState,
  createEngine,
} from "../../trainer/index.ts";
import type { LearnerOptions } from "./options.ts";
import { type StepOrder, type Steps, Stepper } from "./stepper.ts";

export interface Trainers {
  /** As headers name it. */
  readonly engine: string;
  /** How many train. */
  readonly devicesCount: number;
  /** On the host. What training begins with is written into it; afterwards it holds what training ended with. */
  readonly state: TrainingState;
  /**
   * `meanwhile` is called once, while the first steps are under way. Throws `TRAINING_DIVERGED`, and what an engine throws
   * that no other can stand in for.
   */
  train(order: StepOrder, meanwhile: () => void): Promise<Steps>;
  /** Asks a round to end after the steps it is in, or after the first when it has not begun. */
  hurry(round: number): void;
  /** Mean nats per token on (n * (T + 1),) tokens, n a multiple of B, of `weights` (P,). */
  evaluate(tokens: Int32Array, weights: Float32Array): Promise<number>;
  close(): Promise<void>;
}

/** How many steps of a round one of so many devices takes at most: all together no more than a contribution may claim. */
export function stepsPerDevice({ batch }: Pick<LearnerOptions, "batch">, devicesCount: number): number {
  return Math.min(batch.stepsPerRound, Math.floor(batch.stepsMax / devicesCount));
}

/** `deviceIndex`: undefined where the engine has one device. */
export function engineOptions(
  { model, optimizer, batch, engine, memory, mixedPrecision = false }: Omit<LearnerOptions, "start">,
  { deviceIndex, threads }: { deviceIndex: number | undefined; threads: number },
): EngineOptions {
  const { sequences } = batch;
  const chosen = { engine, deviceIndex, mixedPrecision, model, optimizer, sequences, threads };
  return { ...chosen, ...(memory && { memory }) };
}

export async function openOneTrainer(
  options: LearnerOptions,
  { clock, shards }: { clock: Clock; shards: ShardSource },
): Promise<Trainers> {
  const [deviceIndex] = options.devices ?? [];
  const engine: Engine = await createEngine(
    engineOptions(options, { deviceIndex, threads: options.threads }),
  );
  const stepper = new Stepper(options, { engine, shards, clock });
  const share = { first: 0, apart: 1, count: options.batch.stepsPerRound };
  return {
    engine: engine.name,
    devicesCount: 1,
    state: engine.state,
    train: (order, meanwhile) => stepper.run(order, share, meanwhile),
    hurry: (round) => stepper.hurry(round),
    evaluate: (tokens, weights) => engine.evaluate(tokens, weights),
    close: () => engine.close(),
  };
}
