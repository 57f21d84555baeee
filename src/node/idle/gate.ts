/**
 * Where a node waits while something keeps it from training: a person, the hour, a busy machine, a used-up allowance.
 * It opens when the last of them has gone. What is under way ends after the step that it is in, is published, and so is
 * not lost; the node goes on answering others meanwhile.
 */
export class Gate {
  readonly #reasons = new Set<string>();
  readonly #listeners = new Set<() => void>();
  #opening = Promise.withResolvers<void>();

  /** The reason that came first; null while it is open. */
  get why(): string | null {
    const [first] = this.#reasons;
    return first ?? null;
  }

  close(why: string): void {
    if (this.#reasons.has(why)) return;
    if (this.#reasons.size === 0) this.#opening = Promise.withResolvers<void>();
    this.#reasons.add(why);
    this.#tell();
  }

  open(why: string): void {
    if (!this.#reasons.delete(why)) return;
    if (this.#reasons.size === 0) this.#opening.resolve();
    this.#tell();
  }

  /** Closes or opens it for one reason. */
  set(why: string, isClosed: boolean): void {
    if (isClosed) this.close(why);
    else this.open(why);
  }

  /** Called when `why` may have changed, until what is returned is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Resolves while it is open; rejects with the signal's reason when that is aborted first. */
  async opened(signal: AbortSignal): Promise<void> {
    const aborted = Promise.withResolvers<never>();
    // Whoever awaits the race below gets it.
    aborted.promise.catch(() => undefined);
    const onAbort = (): void => aborted.reject(signal.reason as Error);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      while (this.#reasons.size > 0) {
        signal.throwIfAborted();
        await Promise.race([this.#opening.promise, aborted.promise]);
      }
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
