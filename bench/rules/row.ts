/** What one measurement came to. */
import type { Settings } from "./settings.ts";

export interface Point {
  /** Inner steps per node so far. */
  readonly steps: number;
  /** Trained by all so far. */
  readonly tokens: number;
  /** Sent by each node so far, mean. */
  readonly bytesPerNode: number;
  readonly validationLossNats: number;
}

export interface Row {
  readonly rule: string;
  readonly peersCount: number;
  readonly seed: number;
  readonly stepsPerNode: number;
  /** Trained by all. */
  readonly tokens: number;
  /** Sent by each node, mean: one copy of what it publishes, whoever passes it on. */
  readonly bytesPerNode: number;
  readonly validationLossNats: number;
  readonly attack: string | null;
  readonly attackersCount: number;
  /** Of what the attackers sent, the share that was averaged in; only in rows with attackers. */
  readonly hostileIncludedShare?: number;
  readonly commit: string;
  readonly settings: Settings;
  readonly parametersCount: number;
  readonly curve: readonly Point[];
}
