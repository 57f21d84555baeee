/**
 * A program's own measure of the model: called with a settled state, one at a time. While it is at work newer states may
 * settle; then it goes on with the newest, and those between are left out, so it can be as slow as it likes.
 */
import { type Logger, type Service, messageOf } from "../../core/index.ts";
import { type NodeEmitter, type SettledEvent, tell } from "../events.ts";
import type { SettledModel } from "./settled-model.ts";

/** The signal is aborted when the node stops, which waits for the answer. */
export type Evaluate = (
  settled: SettledEvent,
  model: SettledModel,
  o: { readonly signal: AbortSignal },
) => Promise<Readonly<Record<string, number>>>;

export interface EvaluationDeps {
  readonly evaluate: Evaluate;
  readonly model: SettledModel;
  readonly emitter: NodeEmitter;
  readonly log: Logger;
}

export class Evaluations implements Service {
  readonly name = "evaluations";
  readonly #deps: EvaluationDeps;
  readonly #stopping = new AbortController();
  #next: SettledEvent | undefined;
  #running: Promise<void> | undefined;

  constructor(deps: EvaluationDeps) {
    this.#deps = deps;
  }

  async start(): Promise<void> {
    this.#deps.emitter.on("settled", this.#note);
  }

  async stop(): Promise<void> {
    this.#deps.emitter.off("settled", this.#note);
    this.#next = undefined;
    this.#stopping.abort(new Error("the node is stopping"));
    await this.#running;
  }

  readonly #note = (settled: SettledEvent): void => {
    this.#next = settled;
    this.#running ??= this.#run();
  };

  async #run(): Promise<void> {
    const { evaluate, model, emitter, log } = this.#deps;
    const { signal } = this.#stopping;
    for (let now = this.#take(); now !== undefined; now = this.#take()) {
      try {
        tell(emitter, "evaluation", { ...now, scores: await evaluate(now, model, { signal }) });
      } catch (error) {
        // The program's own; the node has nothing to do with it and goes on.
        if (!signal.aborted)
          log.warn("the program's evaluation failed", { round: now.round, error: messageOf(error) });
      }
    }
    this.#running = undefined;
  }

  #take(): SettledEvent | undefined {
    const next = this.#next;
    this.#next = undefined;
    return next;
  }
}
