/** Waiting for the first peer that tells what has happened before a node begins by itself. */
import type { Clock, Logger } from "../../core/index.ts";

export class FirstAnswer {
  readonly #answered: Promise<void>;
  #answer: () => void = () => undefined;

  constructor() {
    this.#answered = new Promise((resolve) => (this.#answer = resolve));
  }

  come(): void {
    this.#answer();
  }

  /** Resolves with the answer, when patience ends, or when `signal` aborts. */
  async wait(
    patienceMs: number,
    { clock, log, signal }: { clock: Clock; log: Logger; signal: AbortSignal },
  ): Promise<void> {
    log.info("asking for a peer that knows what has happened, before beginning", {});
    const answered = new AbortController();
    const patience = clock.sleep(patienceMs, AbortSignal.any([signal, answered.signal])).then(
      () => log.warn("no peer has answered yet: starting without", {}),
      () => undefined,
    );
    await Promise.race([this.#answered, patience]);
    answered.abort();
  }
}
