/**
 * AdamW inside the graph (Loshchilov and Hutter 2019, with Adam of Kingma and Ba 2015), after clipping the gradient
 * to a global norm. A step whose loss or gradient norm is not finite changes nothing: every scalar is then chosen
 * so that the update is the identity.
 */
import { add, and, div, less, min, mul, sqrt, sub, sumOfSquares, where } from "./arithmetic.ts";
import { scalar, type Tensor } from "./tensor.ts";

const FLOAT32_MAX = 3.4e38;
/** Keeps the clipping of a gradient of 0 finite. From: PyTorch's clip_grad_norm_. */
const NORM_EPSILON = 1e-6;

/** One parameter's, or one stretch of parameters', all of one shape. */
export interface AdamState {
  readonly weight: Tensor;
  readonly moment1: Tensor;
  readonly moment2: Tensor;
}

export interface AdamParameter extends AdamState {
  readonly gradient: Tensor;
  readonly decay: boolean;
}

/** What changes from step to step, as scalars; `stepScalars` computes their values. */
export interface AdamScalars {
  readonly stepSize: Tensor;
  readonly epsilon: Tensor;
  readonly shrink: Tensor;
}

export interface AdamSettings {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  readonly gradientNormMax: number;
}

/** The values of `AdamScalars` for the step number `step` = 1, 2, ... */
export function stepScalars(
  o: AdamSettings,
  lr: number,
  step: number,
): { stepSize: number; epsilon: number; shrink: number } {
  // m_hat / (sqrt(v_hat) + eps)  =  m sqrt(1 - b2^t) / (1 - b1^t)  /  (sqrt(v) + eps sqrt(1 - b2^t))
  const root = Math.sqrt(1 - o.beta2 ** step);
  return {
    stepSize: (lr * root) / (1 - o.beta1 ** step),
    epsilon: o.epsilon * root,
    shrink: 1 - lr * o.weightDecay,
  };
}

/**
 * What of a gradient goes into the moments when it is the sum of `count` micro-batches' and their mean has the norm
 * `gradientNorm`, in the float32 arithmetic of `adamW`, so that both ways give the same bits.
 */
export function blendScalars(
  o: AdamSettings,
  gradientNorm: number,
  count: number,
): { blend1: number; blend2: number } {
  const f = Math.fround;
  const clip = Math.min(1, f(f(o.gradientNormMax) / f(f(gradientNorm) + f(NORM_EPSILON))));
  const share = f(clip / count);
  return { blend1: f(share * f(1 - o.beta1)), blend2: f(f(share * share) * f(1 - o.beta2)) };
}

export interface AdamUpdate {
  readonly gradientNorm: Tensor;
  /** 1, or 0 when the step was not finite and changed nothing. */
  readonly applied: Tensor;
  readonly updated: readonly AdamState[];
}

/**
 * The new weights and moments. They all depend on the gradient norm, hence on every gradient, hence come after
 * every read of a weight: that is what makes it safe to write them over the old ones.
 */
export function adamW(
  parameters: readonly AdamParameter[],
  scalars: AdamScalars,
  o: AdamSettings & { loss: Tensor },
): AdamUpdate {
  const gradientNorm = sqrt(parameters.map((p) => sumOfSquares(p.gradient)).reduce(add));
  // A comparison with NaN is false.
  const finite = and(less(gradientNorm, scalar(FLOAT32_MAX)), less(o.loss, scalar(FLOAT32_MAX)));
  const gate = (value: Tensor, otherwise: number): Tensor => where(finite, value, scalar(otherwise));

  const norm = add(gradientNorm, scalar(NORM_EPSILON));
  const clip = gate(min(scalar(1), div(scalar(o.gradientNormMax), norm)), 0);
  const gated = {
    keep1: gate(scalar(o.beta1), 1),
    keep2: gate(scalar(o.beta2), 1),
    blend1: mul(clip, scalar(1 - o.beta1)),
    blend2: mul(mul(clip, clip), scalar(1 - o.beta2)),
    epsilon: scalars.epsilon,
    stepSize: gate(scalars.stepSize, 0),
  };
  const shrink = gate(scalars.shrink, 1);
  const updated = parameters.map((p) =>
    blended({ ...p, gradient: gate(p.gradient, 0) }, { ...gated, shrink: p.decay ? shrink : scalar(1) }),
  );
  return { gradientNorm, applied: where(finite, scalar(1), scalar(0)), updated };
}

/** The new values of one stretch, of a gradient that was found finite; `blendScalars` has the last two scalars. */
export function adamWUpdate(
  p: AdamState & { gradient: Tensor },
  scalars: AdamScalars & { blend1: Tensor; blend2: Tensor },
  o: AdamSettings,
): AdamState {
  return blended(p, { ...scalars, keep1: scalar(o.beta1), keep2: scalar(o.beta2) });
}

function blended(
  p: AdamState & { gradient: Tensor },
  s: AdamScalars & { keep1: Tensor; keep2: Tensor; blend1: Tensor; blend2: Tensor },
): AdamState {
  const g = p.gradient;
  const moment1 = add(mul(p.moment1, s.keep1), mul(g, s.blend1)); // m <- b1 m + (1 - b1) clip g
  const moment2 = add(mul(p.moment2, s.keep2), mul(mul(g, g), s.blend2)); // v <- b2 v + (1 - b2) (clip g)^2
  const change = mul(div(moment1, add(sqrt(moment2), s.epsilon)), s.stepSize);
  return { weight: sub(mul(p.weight, s.shrink), change), moment1, moment2 };
}
