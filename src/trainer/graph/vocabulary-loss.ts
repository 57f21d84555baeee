/**
 * The loss over a vocabulary, in chunks of rows. When its gradient is wanted too, each chunk waits for the gradient of
 * the one before, so that the logits of one chunk are all that is alive. N = rows, D = features, V = vocabulary.
 */
import { add, exp, mul, reduceSum } from "./arithmetic.ts";
import { concat, reshape, slice } from "./layout.ts";
import { after } from "./order.ts";
import { gemm } from "./products.ts";
import { constant, scalar, stage, withDerivative, type Tensor } from "./tensor.ts";

export interface VocabularyLossOptions {
  readonly targets: Tensor; // (N,) int32
  readonly rowsPerChunk: number;
  /** Whether the program wants the gradient as well; it is then computed chunk by chunk beside the loss. */
  readonly withGradient: boolean;
  /** A scalar that the gradient, not the loss, is multiplied by, before products of float16 could lose it. */
  readonly gradientScale?: Tensor;
}

/** The mean over rows of -log softmax(hidden head')[target], in nats; hidden (N, D), head (V, D) -> scalar. */
export function vocabularyLoss(hidden: Tensor, head: Tensor, o: VocabularyLossOptions): Tensor {
  const [rows] = hidden.shape as [number];
  const { rowsPerChunk } = o;
  const losses: Tensor[] = [];
  const toParts: Tensor[] = [];
  let toHead: Tensor | undefined;
  for (let at = 0; at < rows; at += rowsPerChunk) {
    const range = [at, Math.min(rows, at + rowsPerChunk)] as const;
    const slicedOrWhole = (x: Tensor): Tensor => (rowsPerChunk >= rows ? x : slice(x, 0, range));
    const mine = slicedOrWhole(hidden);
    const part = toHead === undefined ? mine : after(mine, toHead);
    const { loss, toLogits } = crossEntropy(gemm(part, head, { b: true }), slicedOrWhole(o.targets), rows, o);
    losses.push(loss);
    if (!o.withGradient) continue;
    const gradient = toLogits();
    toParts.push(gemm(gradient, head));
    const toHeadHere = gemm(gradient, part, { a: true });
    toHead = toHead === undefined ? toHeadHere : add(toHead, toHeadHere);
  }
  const mean = losses.reduce(add);
  if (toHead === undefined) return mean;
  const gradients = [toParts.length === 1 ? (toParts[0] as Tensor) : concat(toParts, 0), toHead];
  return withDerivative(mean, { inputs: [hidden, head], rule: (g) => gradients.map((x) => mul(x, g)) });
}

/** Sum of -log softmax(logits)[target] over rows, divided by `rowsInAll`; and its gradient. */
function crossEntropy(
  logits: Tensor, // (n, V)
  targets: Tensor, // (n,)
  rowsInAll: number,
  { gradientScale }: { gradientScale?: Tensor },
): { loss: Tensor; toLogits: () => Tensor } {
  const [rows] = logits.shape as [number];
  const axis = { kind: "int", value: 1 } as const;
  const column = reshape(targets, [rows, 1]);
  const logProbabilities = stage("LogSoftmax", [logits], { shape: logits.shape, attributes: { axis } });
  const picked = stage("GatherElements", [logProbabilities, column], {
    shape: [rows, 1],
    attributes: { axis },
  });
  const loss = mul(reshape(reduceSum(picked, [0]), []), scalar(-1 / rowsInAll));
  // dlogits = (softmax - onehot(target)) / N
  const toLogits = (): Tensor => {
    const minusOnes = constant(new Float32Array(rows).fill(-1), [rows, 1]);
    const difference = stage("ScatterElements", [exp(logProbabilities), column, minusOnes], {
      shape: logits.shape,
      attributes: { axis, reduction: { kind: "text", value: "add" } },
    });
    const share = scalar(1 / rowsInAll);
    return mul(difference, gradientScale === undefined ? share : mul(gradientScale, share));
  };
  return { loss, toLogits };
}
