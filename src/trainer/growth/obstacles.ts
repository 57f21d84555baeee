/** Which models can grow into which: what duplication keeps exact, and nothing else. */
import { headSize, type ModelConfig } from "../model/config.ts";

/**
 * Why `from` can't grow into `to`, each as what was expected and what came; none: it can. The hidden size must be a
 * multiple, since RMSNorm keeps its scale only if every channel is there equally often; so must keys' and values'
 * heads, since their queries come along. Layers, MLP units and context only must not shrink.
 */
export function growthObstacles(from: ModelConfig, to: ModelConfig): string[] {
  const obstacles: string[] = [];
  const expect = (holds: boolean, field: string, expected: string, got: unknown): void => {
    if (!holds) obstacles.push(`expected ${field} ${expected}, got ${String(got)}`);
  };
  for (const field of ["vocabSize", "tiedHead", "ropeTheta", "normEpsilon"] as const) {
    expect(to[field] === from[field], field, `${String(from[field])} as before`, to[field]);
  }
  for (const field of ["hiddenSize", "kvHeadsCount"] as const) {
    expect(to[field] % from[field] === 0, field, `a multiple of ${from[field]}`, to[field]);
  }
  for (const field of ["layersCount", "intermediateSize", "contextLength"] as const) {
    expect(to[field] >= from[field], field, `of at least ${from[field]}`, to[field]);
  }
  // Other head sizes have other rotary frequencies.
  expect(
    headSize(to) === headSize(from),
    "hiddenSize / headsCount",
    `${headSize(from)} as before`,
    headSize(to),
  );
  return obstacles;
}
