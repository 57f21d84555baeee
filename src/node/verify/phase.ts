/** What a phase's history is checked against, all of it computed from the manifest and the phase below. */
import type { CodecSchedule } from "../../codec/index.ts";
import type { GraphOptions } from "../../consensus/index.ts";
import { type RunId, bytesOf, rootOfBytes } from "../../core/index.ts";
import { decodeWeights, initialWeights, parametersCount, tensorLengths } from "../../trainer/index.ts";
import { type Manifest, phaseOf } from "../run/manifest.ts";
import { type PhaseOrigin, graphOptions } from "../climb/phase-origin.ts";

export interface PhaseFacts {
  readonly phase: number;
  readonly graph: GraphOptions;
  /** (P,) fixed point; undefined: what it grows from could not be recomputed, so folds need a checkpoint to begin with. */
  readonly start: Int32Array | undefined;
  readonly parametersCount: number;
  readonly lengths: readonly number[];
  readonly codec: CodecSchedule;
}

/** Of the first phase. `startBytes`: the body that the manifest names as its start, null for none. */
export function firstFacts(run: RunId, manifest: Manifest, startBytes: Uint8Array | null): PhaseFacts {
  const { model } = phaseOf(manifest, 0);
  const start = startBytes === null ? initialWeights(model, manifest.seed) : decodeWeights(model, startBytes);
  const origin = { startRoot: rootOfBytes(bytesOf(start)) };
  return phaseFacts(run, manifest, { phase: 0, origin, start });
}

export function phaseFacts(
  run: RunId,
  manifest: Manifest,
  { phase, origin, start }: { phase: number; origin: PhaseOrigin; start: Int32Array | undefined },
): PhaseFacts {
  const { model, codec } = phaseOf(manifest, phase);
  return {
    phase,
    graph: graphOptions(manifest, { run, phase, origin }),
    start,
    parametersCount: parametersCount(model),
    lengths: tensorLengths(model),
    codec,
  };
}
