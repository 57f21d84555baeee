/** A named test of a whole flock: who takes part, on what network, and what happens to them on the way. */
import type { Flock, FlockOptions } from "./flock.ts";

export interface Scenario {
  readonly name: string;
  readonly about: string;
  /** Share of the honest work that must be included. */
  readonly includedShareMin: number;
  /** Share of the voting weight that hostile peers may come to; default: a third. */
  readonly hostileWeightShareMax?: number;
  /** Honest and hostile peers for what was asked for; default: all of them. */
  readonly peersCount?: (askedCount: number) => number;
  readonly options: (peersCount: number) => Omit<Partial<FlockOptions>, "seed">;
  /** What happens before the flock runs on to its last round. */
  readonly play?: (flock: Flock) => void;
}

/** Of honest work, without attackers and with a third of them. From: the project's issue R5. */
export const INCLUDED_SHARE_HONEST = 0.95;
export const INCLUDED_SHARE_HOSTILE = 0.9;

/** The settle depth where a third may be hostile. From: docs/log.md, the inclusion rule. */
export const DEPTH_HOSTILE = 16;
