/** The part of the manifest that says how a phase's weights become those of the next, larger model. */
import { z } from "zod";

export interface GrowthRule {
  /**
   * What new layers start as. `identity`: a copy of the layer before it whose outputs are zero, so that the model says
   * exactly what it said. `stack`: the whole list of layers over again (Du et al. 2024, G_stack), which is not exact.
   */
  readonly depth: "identity" | "stack";
}

export const growthRuleSchema: z.ZodType<GrowthRule> = z.strictObject({
  depth: z.enum(["identity", "stack"]),
});
