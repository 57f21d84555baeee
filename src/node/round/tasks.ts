/** Work that was started and must have ended before its owner's `stop` returns. */
export interface TasksOptions {
  /** Aborted: what is cut off now may fail. */
  readonly signal: AbortSignal;
  /** Called with the error of a task before that: its owner cannot go on. */
  fail(error: unknown): void;
}

export class Tasks {
  readonly #options: TasksOptions;
  readonly #running = new Set<Promise<void>>();

  constructor(options: TasksOptions) {
    this.#options = options;
  }

  spawn(task: Promise<void>): void {
    const tracked = task
      .catch((error: unknown) => {
        if (!this.#options.signal.aborted) this.#options.fail(error);
      })
      .finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
  }

  /** Resolves when nothing runs any more, what tasks have spawned included. */
  async ended(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}
