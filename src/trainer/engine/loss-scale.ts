/**
 * Dynamic loss scaling (Micikevicius et al. 2018, section 3.2): gradients are computed times a power of two, so that small
 * ones are not lost in float16. A step that overflows is done again with half the scale.
 */
import type { StepResult } from "./engine.ts";

/** From: PyTorch's GradScaler, its init_scale. */
const START = 2 ** 16;
/** Steps in a row without overflow until the scale is doubled. From: PyTorch's GradScaler, its growth_interval. */
const GROWTH_STEPS = 2000;
/** So that scale and its inverse stay far inside float32. Guess. */
const MAX = 2 ** 32;

export class LossScale {
  #scale: number;
  #goodSteps = 0;

  constructor(start: number = START) {
    this.#scale = start;
  }

  get value(): number {
    return this.#scale;
  }

  /** The first result that is finite, or that of scale 1: then it is not the scale's fault. */
  async run(step: (scale: number) => Promise<StepResult>): Promise<StepResult> {
    for (;;) {
      const result = await step(this.#scale);
      if (result.applied) this.#grow();
      if (result.applied || this.#scale <= 1) return result;
      this.#scale /= 2;
      this.#goodSteps = 0;
    }
  }

  #grow(): void {
    this.#goodSteps += 1;
    if (this.#goodSteps < GROWTH_STEPS) return;
    this.#goodSteps = 0;
    this.#scale = Math.min(MAX, 2 * this.#scale);
  }
}
