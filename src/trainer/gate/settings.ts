/** What a delta must pass before a node cites it (docs/design.md, section 10). Local judgement: peers may differ. */
import { z } from "zod";

export interface GateSettings {
  /** Least cosine with our own delta, as a share of the round's median; a delta across from ours or at rest never passes. 0: off. */
  readonly cosineShare: number;
  /** Two deltas of a higher cosine are one piece of work. 1: off. */
  readonly copyCosine: number;
}

export const gateSettingsSchema: z.ZodType<GateSettings> = z.strictObject({
  cosineShare: z.number().min(0).max(1),
  copyCosine: z.number().min(0).max(1),
});

export const GATES_DEFAULT: GateSettings = {
  cosineShare: 0.5, // Measured: docs/log.md, honest peers lie above 0.8 of the median, wrong labels below 0.4
  copyCosine: 0.98, // Measured: docs/log.md, honest deltas of one round reach 0.96
};

export const GATES_OFF: GateSettings = { cosineShare: 0, copyCosine: 1 };
