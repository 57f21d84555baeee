/**
 * Weights and moments as the training program's inputs and outputs. Three ways to get the updated values back:
 *
 * - `in-place`: the outputs are the inputs' own arrays; nothing is copied and nothing held twice (CPU).
 * - `copied`: the runtime makes new arrays, which are copied back. Slow and plain: the others are tested against it.
 * - `on-device`: the outputs stay on the device and are the next step's inputs; the host sees them after `sync`.
 */
import type { DeviceCopies } from "./device-copies.ts";
import { parametersCount, type ModelConfig } from "../model/config.ts";
import { MOMENT1, MOMENT2, UPDATED } from "../model/programs.ts";
import { modelTensors } from "../model/tensors.ts";
import type { TrainingState } from "./engine.ts";
import { floatsOf, parameterValues, type Session, type Value, type Values } from "./session.ts";

export type StateHome = "in-place" | "copied" | "on-device";

export function emptyState(c: ModelConfig): TrainingState {
  const zeros = (): Float32Array => new Float32Array(parametersCount(c));
  return { weights: zeros(), moment1: zeros(), moment2: zeros(), stepsCount: 0 };
}

/** The names of a training program's outputs that are state. */
export function updatedNames(c: ModelConfig): string[] {
  const prefixes = [UPDATED, UPDATED + MOMENT1, UPDATED + MOMENT2];
  return modelTensors(c).flatMap(({ name }) => prefixes.map((prefix) => prefix + name));
}

export class StateValues {
  readonly #home: StateHome;
  readonly #onHost: Values;
  /** What the next run reads: views of the host's arrays, or what the last step left on the device. */
  #current: Values;
  readonly #copies: DeviceCopies;

  constructor(c: ModelConfig, state: TrainingState, home: StateHome, copies: DeviceCopies) {
    this.#home = home;
    this.#copies = copies;
    this.#onHost = {
      ...parameterValues(c, state.weights),
      ...parameterValues(c, state.moment1, MOMENT1),
      ...parameterValues(c, state.moment2, MOMENT2),
    };
    this.#current = this.#onHost;
  }

  /** The current weights alone, for programs that only read. */
  weights(): Values {
    const isWeight = (name: string): boolean => !name.startsWith(MOMENT1) && !name.startsWith(MOMENT2);
    return Object.fromEntries(Object.entries(this.#current).filter(([name]) => isWeight(name)));
  }

  /** Runs one training step on the state and `inputs`; returns the outputs that are not state. */
  async step(session: Session, inputs: Values): Promise<Values> {
    const names = Object.keys(this.#current);
    const fetches: Record<string, Value | null> = { loss: null, gradientNorm: null, applied: null };
    for (const name of names) {
      fetches[UPDATED + name] = this.#home === "in-place" ? (this.#current[name] as Value) : null;
    }
    const outputs = (await session.run({ ...this.#current, ...inputs }, fetches)) as Values;
    if (this.#home === "copied") {
      for (const name of names) {
        this.#write(name, floatsOf(outputs, UPDATED + name));
      }
    } else if (this.#home === "on-device") {
      this.#release();
      this.#current = Object.fromEntries(names.map((name) => [name, outputs[UPDATED + name] as Value]));
    }
    return outputs;
  }

  /** Copies what is on the device to the host. */
  async sync(): Promise<void> {
    if (this.#current === this.#onHost) return;
    for (const [name, value] of Object.entries(this.#current)) {
      this.#write(name, await this.#copies.toHost(value));
    }
  }

  /** The next run reads the host's arrays. */
  load(): void {
    this.#release();
    this.#current = this.#onHost;
  }

  /** Into the flat array, which the host's value is a view of. */
  #write(name: string, floats: Float32Array): void {
    const value = this.#onHost[name] as Value;
    (value.data as Float32Array).set(floats);
  }

  #release(): void {
    if (this.#current === this.#onHost) return;
    for (const value of Object.values(this.#current)) value.dispose();
  }
}
