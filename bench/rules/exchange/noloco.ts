/**
 * NoLoCo (Kolehmainen et al. 2025, arXiv 2506.10911): no all-reduce; each round everybody averages with one peer drawn
 * by lot, and a momentum pulls the pair together. Everybody keeps an own model.
 *
 *   m_i   <- mu m_i + a mean_j(theta_j - phi_j) + a (mean_j phi_j - phi_i)
 *   phi_i <- phi_i + m_i            j over the pair
 */
import { SeededRandom } from "../../../src/core/index.ts";
import { type Exchange, FLOAT_BYTES, type Flock, type Turn, floatsOf } from "../exchange.ts";
import type { RuleOptions } from "../settings.ts";

export function noloco({ start, peersCount, seed }: Flock, options: RuleOptions): Exchange {
  const rate = options.outerRate ?? 0.7; // From: the authors' configurations
  const mu = options.outerMomentum ?? 0.5; // From: the authors' configurations
  const random = new SeededRandom(`noloco/${seed}`);
  const phi = Array.from({ length: peersCount }, () => floatsOf(start));
  const momentum = phi.map(({ length }) => new Float32Array(length));

  const meet = (pair: readonly Turn[]): void => {
    const starts = pair.map(({ peer }) => phi[peer] as Float32Array);
    for (let i = 0; i < start.length; i++) {
      let learned = 0;
      let centre = 0;
      pair.forEach(({ end }, j) => {
        learned += ((end[i] as number) - (starts[j]?.[i] as number)) / pair.length;
        centre += (starts[j]?.[i] as number) / pair.length;
      });
      for (const { peer } of pair) {
        const m = momentum[peer] as Float32Array;
        const own = phi[peer] as Float32Array;
        m[i] = mu * (m[i] as number) + rate * learned + rate * (centre - (own[i] as number));
        own[i] = (own[i] as number) + (m[i] as number);
      }
    }
  };

  return {
    startOf: (peer) => phi[peer] as Float32Array,
    combine(turns) {
      const waiting = turns.slice();
      for (let i = waiting.length - 1; i > 0; i--) {
        const j = random.below(i + 1);
        [waiting[i], waiting[j]] = [waiting[j] as Turn, waiting[i] as Turn];
      }
      // Who is left over in an odd number meets nobody but itself.
      for (let i = 0; i < waiting.length; i += 2) meet(waiting.slice(i, i + 2));
      // Weights and delta, to one peer.
      return turns.length * 2 * FLOAT_BYTES * start.length;
    },
    models: () => phi,
  };
}
