/** A ladder with its price, rung by rung, for people who decide whether to climb it. */
import { parametersCount } from "../../trainer/index.ts";
import { type PhaseEstimate, estimatePhase } from "./estimate.ts";
import type { Phase } from "./manifest.ts";
import { presetOf } from "../presets/presets.ts";
import type { Rung } from "../presets/preset.ts";

/** A large workstation. Beyond it a phase needs several machines for one copy of the model, which this version can't use. */
const NODE_BYTES_MAX = 128e9;

export interface PlanRow extends PhaseEstimate {
  readonly phase: number;
  readonly tokensBudget: number;
  /** How many times the parameters of the phase before. */
  readonly growth: number | null;
  /** Whether one machine with `NODE_BYTES_MAX` of memory is enough. */
  readonly fitsOneNode: boolean;
  /** In the manifest; the others exist on paper. */
  readonly inManifest: boolean;
}

export function planOf(phases: readonly Phase[]): PlanRow[] {
  return phases.map((phase, index) => ({ ...rowOf(phase, index, phases[index - 1]), inManifest: true }));
}

/**
 * Of a preset with all that it has on paper; budgets are those of full phases.
 * @throws StarlingError `PRESET_UNKNOWN`
 */
export function planOfPreset(name: string): PlanRow[] {
  const { rungs, plan } = presetOf(name);
  const all: readonly Rung[] = [...rungs, ...(plan ?? [])];
  const phases = all.map(({ phase, rounds }) => ({
    ...phase,
    tokensBudget: rounds * fullRoundTokens(phase),
  }));
  return phases.map((phase, index) => ({
    ...rowOf(phase, index, phases[index - 1]),
    inManifest: index < rungs.length,
  }));
}

/** Of a round in which as many nodes as the phase takes do all their steps. */
function fullRoundTokens(phase: Rung["phase"]): number {
  const { batch, model } = phase;
  return estimatePhase(phase).nodes * batch.stepsPerRound * batch.sequences * model.contextLength;
}

function rowOf(phase: Phase, index: number, before: Phase | undefined): Omit<PlanRow, "inManifest"> {
  const estimate = estimatePhase(phase);
  return {
    ...estimate,
    phase: index,
    tokensBudget: phase.tokensBudget,
    growth: before === undefined ? null : estimate.parameters / parametersCount(before.model),
    fitsOneNode: estimate.memoryBytes <= NODE_BYTES_MAX,
  };
}
