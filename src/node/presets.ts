/** Ready-made phases, so that nobody has to write a manifest by hand. */
import { StarlingError } from "../core/index.ts";
import { modelPresets } from "../trainer/index.ts";
import type { Phase } from "./manifest.ts";

const DENSE = 4096;

/** A phase without its budget: that is a number of rounds for a number of peers. */
export interface Preset {
  readonly rounds: number;
  readonly phase: Omit<Phase, "tokensBudget">;
}

const optimizer: Phase["optimizer"] = {
  lrMax: 2e-3,
  lrMinShare: 0.1,
  warmupShare: 0.02,
  beta1: 0.9,
  beta2: 0.95,
  epsilon: 1e-8,
  weightDecay: 0.1,
  gradientNormMax: 1,
};

const rule: Phase["rule"] = {
  settleDepth: 8,
  membersMax: 64,
  startPeers: 1,
  outerRate: 2 ** 20,
  graceShare: 0.05,
  patienceShare: 3,
  weightWindow: 64,
};

/** One credit per counted token: Guess. A later, larger phase would mint more for a token that costs more. */
const credits: Phase["credits"] = { perToken: 1 };

const presets: Readonly<Record<string, Preset>> = {
  /** About 1M parameters on a book: four nodes on one laptop, minutes. */
  flight: {
    rounds: 30,
    phase: {
      model: modelPresets.flight,
      batch: { sequences: 8, stepsPerRound: 10, stepsMax: 40 },
      roundMsMax: 60_000,
      optimizer,
      // Short runs want dense deltas of few bits: 20 sparse rounds touch too few coordinates (docs/log.md).
      codec: [{ fromTokens: 0, keepPerChunk: DENSE, valueBits: 4 }],
      residualBeta: 1,
      rule,
      credits,
    },
  },
  /** 27k parameters: the same in seconds, for tests. */
  tiny: {
    rounds: 8,
    phase: {
      model: modelPresets.tiny,
      batch: { sequences: 4, stepsPerRound: 5, stepsMax: 20 },
      roundMsMax: 10_000,
      optimizer: { ...optimizer, lrMax: 5e-3 },
      codec: [{ fromTokens: 0, keepPerChunk: DENSE, valueBits: 4 }],
      residualBeta: 1,
      rule: { ...rule, settleDepth: 4 },
      credits,
    },
  },
};

export const presetNames: readonly string[] = Object.keys(presets);

/** @throws StarlingError `PRESET_UNKNOWN` */
export function presetOf(name: string): Preset {
  const preset = presets[name];
  if (preset !== undefined) return preset;
  throw new StarlingError("PRESET_UNKNOWN", `expected one of ${presetNames.join(", ")}, got ${name}`);
}
