/** What a phase's history is checked against, all of it computed from the manifest. */
import type { CodecSchedule } from "../../codec/index.ts";
import { type GraphOptions, NO_ACCOUNTS, settledRoot } from "../../consensus/index.ts";
import { type RunId, bytesOf, rootOfBytes } from "../../core/index.ts";
import { decodeWeights, initialWeights, tensorLengths } from "../../trainer/index.ts";
import { zeroStateRoot } from "../learner/state-root.ts";
import { type Manifest, limitsOf, phaseOf } from "../manifest.ts";

export interface PhaseFacts {
  readonly graph: GraphOptions;
  /** (P,) fixed point. */
  readonly start: Int32Array;
  readonly lengths: readonly number[];
  readonly codec: CodecSchedule;
}

/** `startBytes`: the body that the manifest names as its start, null for none. */
export function phaseFacts(
  run: RunId,
  manifest: Manifest,
  { phase, startBytes }: { phase: number; startBytes: Uint8Array | null },
): PhaseFacts {
  const { model, rule, codec } = phaseOf(manifest, phase);
  const start = startBytes === null ? initialWeights(model, manifest.seed) : decodeWeights(model, startBytes);
  const startRoot = rootOfBytes(bytesOf(start));
  return {
    graph: {
      run,
      phase,
      rule,
      founders: manifest.founders,
      limits: limitsOf(manifest, phase),
      startRoot,
      startSettled: settledRoot({ run, phase, round: 0, weightsRoot: startRoot, accounts: NO_ACCOUNTS }),
      zeroState: zeroStateRoot(start.length),
    },
    start,
    lengths: tensorLengths(model),
    codec,
  };
}
