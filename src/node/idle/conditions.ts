/** When a node may use its machine: looks at the clock, the processor and the traffic, and closes or opens the gate. */
import { type Clock, type Logger, type Service, messageOf, pause } from "../../core/index.ts";
import type { Gate } from "./gate.ts";
import { Allowance } from "./allowance.ts";
import { type Hours, isWithin } from "./hours.ts";
import { OthersLoad, cpuTimes } from "./others-load.ts";

/** Guess: a person who comes back waits no longer than this. */
const LOOK_MS = 3_000;
/** Looks between two writes of the month's traffic. Guess. */
const SAVE_EVERY = 20;

export interface UseOptions {
  /** Train only then; null: at any hour. */
  readonly hours: Hours | null;
  /** Train only while others leave the processor alone. */
  readonly onlyWhenIdle: boolean;
  /** On the wire, both ways, in a calendar month; null: any. */
  readonly monthlyBytesMax: number | null;
}

export interface ConditionDeps {
  readonly gate: Gate;
  readonly dataDir: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Of this process, both ways, since its start. */
  readonly traffic: () => number;
  /** The month's traffic is used up (true), or a new month has begun. */
  readonly allow: (isUsedUp: boolean) => void;
  /** The time on the wall. */
  readonly today?: () => Date;
}

export const TRAFFIC_USED_UP = "this month's traffic is used up";

export class Conditions implements Service {
  readonly name = "conditions";
  readonly #options: UseOptions;
  readonly #deps: ConditionDeps;
  readonly #stopping = new AbortController();
  readonly #load = new OthersLoad();
  #allowance: Allowance | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(options: UseOptions, deps: ConditionDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** The gate is as it should be when this resolves: a node that starts at the wrong hour does not begin. */
  async start(): Promise<void> {
    const { dataDir } = this.#deps;
    const { monthlyBytesMax } = this.#options;
    if (monthlyBytesMax !== null)
      this.#allowance = await Allowance.open(dataDir, monthlyBytesMax, this.#today());
    this.look();
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error("the node is stopping"));
    await this.#running;
    await this.#allowance?.save();
  }

  look(): void {
    const { gate, clock, traffic, allow } = this.#deps;
    const { hours, onlyWhenIdle } = this.#options;
    const today = this.#today();
    if (hours !== null)
      gate.set(`outside its hours (${hours.from}-${hours.until})`, !isWithin(hours, today.getHours()));
    if (onlyWhenIdle) gate.set("the machine is in use", this.#load.look(cpuTimes(), clock.nowMs()));
    if (this.#allowance === undefined) return;
    const isUsedUp = this.#allowance.count(traffic(), today);
    gate.set(TRAFFIC_USED_UP, isUsedUp);
    allow(isUsedUp);
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#deps;
    const { signal } = this.#stopping;
    for (let looks = 1; await pause(clock, LOOK_MS, signal); looks++) {
      this.look();
      if (looks % SAVE_EVERY !== 0) continue;
      // A full disk must not keep a node from pausing; the next minute tries again.
      await this.#allowance
        ?.save()
        .catch((error: unknown) => log.warn("traffic not written", { error: messageOf(error) }));
    }
  }

  #today(): Date {
    return this.#deps.today?.() ?? new Date();
  }
}
