/**
 * DiLoCo (Douillard et al. 2023, arXiv 2311.08105): plain averaging of the deltas, then an outer step with Nesterov
 * momentum.
 *
 *   Delta = mean_i(phi - theta_i);  m <- mu m + Delta;  phi <- phi - gamma (Delta + mu m)
 */
import { type Exchange, FLOAT_BYTES, type Flock, floatsOf, weightedMean } from "../exchange.ts";
import type { RuleOptions } from "../settings.ts";

export function diloco({ start }: Flock, options: RuleOptions): Exchange {
  const gamma = options.outerRate ?? 0.7; // From: the paper, section 3
  const mu = options.outerMomentum ?? 0.9; // From: the paper, section 3
  const phi = floatsOf(start);
  const momentum = new Float32Array(phi.length);
  return {
    startOf: () => phi,
    combine(turns) {
      if (turns.length === 0) return 0;
      const end = weightedMean(
        turns.map((turn) => turn.end),
        turns.map(({ tokens }) => tokens),
      );
      for (let i = 0; i < phi.length; i++) {
        const delta = (phi[i] as number) - (end[i] as number);
        momentum[i] = mu * (momentum[i] as number) + delta;
        phi[i] = (phi[i] as number) - gamma * (delta + mu * (momentum[i] as number));
      }
      return turns.length * FLOAT_BYTES * phi.length;
    },
    models: () => [phi],
  };
}
