/** What a check comes to: what is false, by name, and how much was checked and could not be checked. */
import type { Refused } from "../../core/index.ts";

/** Something on the disk that is not what it says. */
export interface Finding {
  /** Stable and greppable, such as `HEADER_SIGNATURE`. */
  readonly code: string;
  /** A contribution's id, or a file or folder. */
  readonly subject: string;
  /** What was expected and what came. */
  readonly detail: string;
}

export interface Counts {
  /** Signed headers that were read. */
  headers: number;
  /** Deltas that are what their headers say. */
  deltas: number;
  /** Contributions whose start and settled root were recomputed. */
  claims: number;
  checkpoints: number;
}

export interface Unchecked {
  /** Headers whose history is not all here. */
  headers: number;
  /** Deltas that are not here. */
  deltas: number;
  /** Contributions whose start or settled root needs a delta that is not here, or is false. */
  claims: number;
  /** Checkpoints of rounds that could not be recomputed. */
  checkpoints: number;
  /** Shards, records and tokenizers that are not here. */
  data: number;
}

/** Collects findings and counts; `onFinding` hears of each at once. */
export class Tally {
  readonly checked: Counts = { headers: 0, deltas: 0, claims: 0, checkpoints: 0 };
  readonly unchecked: Unchecked = { headers: 0, deltas: 0, claims: 0, checkpoints: 0, data: 0 };
  /** Contributions of histories that settled otherwise than this node's. */
  otherHistories = 0;
  findingsCount = 0;
  readonly #onFinding: (finding: Finding) => void;

  constructor(onFinding: (finding: Finding) => void) {
    this.#onFinding = onFinding;
  }

  find(code: string, subject: string, detail: string): void {
    this.findingsCount += 1;
    this.#onFinding({ code, subject, detail });
  }

  refuse(subject: string, { code, detail }: Refused): void {
    this.find(code, subject, detail);
  }

  get uncheckedCount(): number {
    return Object.values(this.unchecked).reduce((sum: number, count: number) => sum + count, 0);
  }

  /** Nothing false, and nothing left out that a later check would have to make up for. */
  get isClean(): boolean {
    const { headers, deltas, claims } = this.unchecked;
    return this.findingsCount === 0 && headers + deltas + claims === 0;
  }
}
