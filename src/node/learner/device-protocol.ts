/** What the learner may ask of a device's thread. Messages are structured clones; the state is shared memory. */
import type { Cid } from "../../core/index.ts";
import type { LogLevel } from "../threads/log.ts";
import type { LearnerOptions } from "./options.ts";
import type { Share, StepOrder, Steps } from "./stepper.ts";

export interface DeviceOptions extends Omit<LearnerOptions, "start" | "devices"> {
  /** Undefined where the engine has one device. */
  readonly deviceIndex: number | undefined;
  /** Weights and both moments of the learner, (P,) float32 each. */
  readonly shared: SharedArrayBuffer;
}

export interface DeviceThread {
  open(options: DeviceOptions): Promise<void>;
  /** From the shared state to one of its own; `stepsCount`: of the shared one. */
  train(order: StepOrder, share: Share, stepsCount: number): Promise<Steps>;
  /** Adds `share` times what it has come to to the shared state; the first one sets it. */
  give(share: number, isFirst: boolean): Promise<true>;
  hurry(round: number): void;
  evaluate(tokens: Int32Array, weights: Float32Array): Promise<number>;
  close(): Promise<void>;
}

/** What the thread may ask of the learner's. */
export interface DeviceOwner {
  block(cid: Cid): Promise<Uint8Array>;
  log(level: LogLevel, message: string, context: Record<string, unknown>): void;
}
