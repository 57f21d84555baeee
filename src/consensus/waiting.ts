/** Headers that wait for others which they name. Bounded: they are anybody's word. */
import type { ContributionId } from "../core/index.ts";
import type { Header } from "./header.ts";

/** Headers waiting for their parents; the oldest gives way. Guess: 64 authors for 64 rounds. */
export const WAITING_MAX = 4096;

export class WaitingHeaders {
  readonly #headers = new Map<ContributionId, { header: Header; missing: readonly ContributionId[] }>();
  /** For a missing header: who waits for it. */
  readonly #wantedBy = new Map<ContributionId, Set<ContributionId>>();

  get size(): number {
    return this.#headers.size;
  }

  has(id: ContributionId): boolean {
    return this.#headers.has(id);
  }

  isWanted(id: ContributionId): boolean {
    return this.#wantedBy.has(id);
  }

  /** What queued headers wait for and is not queued itself. */
  missing(): ContributionId[] {
    return [...this.#wantedBy.keys()].filter((id) => !this.#headers.has(id));
  }

  /** Which of `missing` nothing was seen of yet. */
  put(id: ContributionId, header: Header, missing: readonly ContributionId[]): ContributionId[] {
    // The oldest gives way, or junk that names parents nobody has would fill the queue for ever.
    const [oldest] = this.#headers.keys();
    if (oldest !== undefined && this.#headers.size >= WAITING_MAX) this.delete(oldest);
    this.#headers.set(id, { header, missing });
    for (const wanted of missing) {
      const children = this.#wantedBy.get(wanted) ?? new Set();
      this.#wantedBy.set(wanted, children.add(id));
    }
    return missing.filter((wanted) => !this.#headers.has(wanted));
  }

  delete(id: ContributionId): void {
    const missing = this.#headers.get(id)?.missing ?? [];
    this.#headers.delete(id);
    for (const wanted of missing) {
      const children = this.#wantedBy.get(wanted);
      children?.delete(id);
      if (children?.size === 0) this.#wantedBy.delete(wanted);
    }
  }

  /** It is here: who waited for it, and may wait for others still. */
  arrived(id: ContributionId): (readonly [ContributionId, Header])[] {
    const children = this.#wantedBy.get(id);
    if (children === undefined) return [];
    this.#wantedBy.delete(id);
    return [...children].flatMap((child) => {
      const waiting = this.#headers.get(child);
      return waiting === undefined ? [] : [[child, waiting.header] as const];
    });
  }

  /** Whoever names what no honest node would have taken is not worth waiting for; nor are their children. */
  dropChildren(refused: ContributionId): void {
    const queue = [...(this.#wantedBy.get(refused) ?? [])];
    for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
      this.delete(id);
      queue.push(...(this.#wantedBy.get(id) ?? []));
    }
  }
}
