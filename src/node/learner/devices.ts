/**
 * Several devices as one trainer. Each has an engine in a thread of its own, starts a round from the same weights and
 * moments, and takes every N-th of its batches; then all that they hold is averaged on the host:
 *
 *   x = sum over devices k of share_k * x_k,   share_k = steps of k / steps of all,   x = weights, moment1, moment2
 *
 * The mean of the end weights is the mean of the pseudo-gradients (Stich 2019, "Local SGD converges fast and communicates
 * little"); averaging Adam's moments with them keeps one state (Iacob et al. 2025, "DES-LOC"), so what is on the disk and
 * in headers is the same for any number of devices, and that may change with every start. A device that fails is left
 * out for good, with what it did in that round.
 */
import { type Clock, type Logger, StarlingError, assert, messageOf } from "../../core/index.ts";
import { type TrainingState, parametersCount } from "../../trainer/index.ts";
import { type ThreadClient, startWorker, threadClient } from "../threads/client.ts";
import type { DeviceOwner, DeviceThread } from "./device-protocol.ts";
import type { LearnerOptions } from "./options.ts";
import { stateIn } from "./shared-state.ts";
import { NO_STEPS, type StepOrder, type Steps } from "./stepper.ts";
import { type Trainers, stepsPerDevice } from "./trainers.ts";

export interface DevicesDeps extends Pick<DeviceOwner, "block"> {
  readonly clock: Clock;
  readonly log: Logger;
}

interface Device {
  /** Its place among those that were asked for. */
  readonly number: number;
  readonly client: ThreadClient<DeviceThread, DeviceOwner>;
}

interface Trained {
  readonly device: Device;
  readonly steps: Steps;
}

export class Devices implements Trainers {
  readonly state: TrainingState;
  readonly #options: LearnerOptions;
  readonly #asked: readonly (number | undefined)[];
  readonly #log: Logger;
  #devices: readonly Device[];

  /** Throws `DEVICE_INVALID`; what the last one threw when none of the devices starts. */
  static async open(options: LearnerOptions, deps: DevicesDeps): Promise<Devices> {
    const { devices: asked = [], batch, threads } = options;
    if (stepsPerDevice(options, asked.length) === 0) {
      throw new StarlingError(
        "DEVICE_INVALID",
        `expected at most ${batch.stepsMax} devices, as many as a contribution of this run may have steps, got ${asked.length}`,
      );
    }
    const shared = new SharedArrayBuffer(3 * 4 * parametersCount(options.model));
    const devices = new Devices(options, shared, deps);
    const { start: _, devices: __, ...common } = options;
    const each = { ...common, threads: Math.max(1, Math.floor(threads / asked.length)), shared };
    await Promise.all(
      devices.#devices.map((device) =>
        devices.#ask(device, (remote) => remote.open({ ...each, deviceIndex: asked[device.number] })),
      ),
    );
    return devices;
  }

  private constructor(options: LearnerOptions, shared: SharedArrayBuffer, { block, log }: DevicesDeps) {
    this.#options = options;
    this.#asked = options.devices ?? [];
    this.#log = log;
    this.state = stateIn(shared);
    const owner: DeviceOwner = { block, log: (level, message, context) => log[level](message, context) };
    this.#devices = this.#asked.map((_, number) => ({ number, client: startDevice(number, owner) }));
  }

  get engine(): string {
    const count = this.#devices.length;
    return count === 1 ? this.#options.engine : `${this.#options.engine} x${count}`;
  }

  get devicesCount(): number {
    return this.#devices.length;
  }

  async train(order: StepOrder, meanwhile: () => void): Promise<Steps> {
    const apart = this.#asked.length;
    const count = stepsPerDevice(this.#options, apart);
    const { stepsCount } = this.state;
    const training = Promise.all(
      this.#devices.map(async (device) => {
        const share = { first: device.number, apart, count };
        const steps = await this.#ask(device, (remote) => remote.train(order, share, stepsCount));
        return steps && { device, steps };
      }),
    );
    meanwhile();
    const trained = await training;
    return this.#average(trained.filter((each) => each !== undefined));
  }

  /** All devices have ended their steps, so nobody reads what this writes. */
  async #average(trained: readonly Trained[]): Promise<Steps> {
    const all = trained.map(({ steps }) => steps);
    const count = sumOf(all.map((steps) => steps.count));
    const notAppliedCount = sumOf(all.map((steps) => steps.notAppliedCount));
    if (count === 0) return { ...NO_STEPS, notAppliedCount };
    let isFirst = true;
    let stepsOfMean = 0;
    // In their order, so that the sum has the same bits each time.
    for (const { device, steps } of trained) {
      const share = steps.count / count;
      if (share === 0) continue;
      const given = await this.#ask(device, (remote) => remote.give(share, isFirst));
      if (given === undefined) return this.#average(trained.filter((each) => each.device !== device));
      isFirst = false;
      stepsOfMean += share * steps.count;
    }
    // Each device's moments have seen its own steps alone; that is what Adam's bias correction goes by.
    this.state.stepsCount += Math.round(stepsOfMean);
    return {
      count,
      notAppliedCount,
      lossFirst: meanOf(all.map((steps) => steps.lossFirst)),
      lossLast: meanOf(all.map((steps) => steps.lossLast)),
    };
  }

  hurry(round: number): void {
    for (const { client } of this.#devices) void client.remote.hurry(round);
  }

  async evaluate(tokens: Int32Array, weights: Float32Array): Promise<number> {
    for (;;) {
      const [device] = this.#devices;
      assert(device !== undefined, "a trainer without devices is asked for nothing");
      const loss = await this.#ask(device, (remote) => remote.evaluate(tokens, weights));
      if (loss !== undefined) return loss;
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#devices.map(closeDevice));
  }

  /** What a device answers; undefined when it has failed: it is left out from now on. Throws when it was the last. */
  async #ask<T>(
    device: Device,
    question: (remote: Device["client"]["remote"]) => Promise<T>,
  ): Promise<T | undefined> {
    try {
      return await question(device.client.remote);
    } catch (error) {
      // Decides: whatever it is, the others can do without it.
      this.#devices = this.#devices.filter((other) => other !== device);
      // What it failed with is thrown or said below; that it can't be closed either is no news.
      closeDevice(device).catch(messageOf);
      const left = this.#devices.length;
      if (left === 0) throw error;
      const said = { device: device.number, left, error: messageOf(error) };
      this.#log.error("a device has failed and is left out until the node starts again", said);
      return undefined;
    }
  }
}

function startDevice(number: number, owner: DeviceOwner): ThreadClient<DeviceThread, DeviceOwner> {
  return threadClient(startWorker(import.meta.url, "./device-thread"), {
    owner,
    eventNames: ["hurry"],
    stopped: (reason) =>
      new StarlingError("LEARNER_STOPPED", `expected the thread of device ${number} to run: ${reason}`),
  });
}

/** It ends by itself once it has nothing left to do: ending it inside a step would abort the process. */
async function closeDevice({ client: { remote, ended } }: Device): Promise<void> {
  if (!remote.$closed) await remote.close();
  await ended;
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/** Of those that are there; null when none is. */
function meanOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : sumOf(known) / known.length;
}
