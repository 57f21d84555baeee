/**
 * The start of a phase from the end of the one before: the same function in more parameters, computed by every node for
 * itself from (weights, seed), so that no byte moves. Width: every channel, head and MLP unit is duplicated (Net2Net,
 * Chen et al. 2016; HyperCloning, Samragh et al. 2024) and what reads them is split. Depth: rule.ts.
 *
 * RMSNorm: duplicates keep the mean square, so gains are copied. Tied head: embeddings are read (copied) and compared with
 * (should be split), so the last norm's gain is split instead. Optimiser moments and the residual are not grown: a phase
 * begins from the empty state (docs/phases.md).
 */
import { assert, SeededRandom } from "../../core/index.ts";
import { parametersCount, type ModelConfig } from "../model/config.ts";
import { modelTensors, tensorViews } from "../model/tensors.ts";
import { type GrownMatrix, growMatrix } from "./matrix.ts";
import { growthObstacles } from "./obstacles.ts";
import type { GrowthRule } from "./rule.ts";
import { growthSources, type Sources } from "./sources.ts";

export interface Growth {
  readonly from: ModelConfig;
  readonly to: ModelConfig;
  readonly rule: GrowthRule;
  readonly seed: string;
}

/** (P,) -> (P',), both in fixed point. */
export function growWeights(weights: Int32Array, { from, to, rule, seed }: Growth): Int32Array {
  const obstacles = growthObstacles(from, to);
  assert(obstacles.length === 0, `growth between models of one ladder: ${obstacles.join("; ")}`);
  assert(weights.length === parametersCount(from), `expected the weights of the smaller model`);
  const old = tensorViews(from, weights);
  const grown = new Int32Array(parametersCount(to));
  const views = tensorViews(to, grown);
  const sources = growthSources(from, to);
  for (const { name } of modelTensors(to)) {
    const origin = originOf(name, { from, to, rule });
    if (origin === undefined) continue; // Zeros, as they are.
    growMatrix(
      old.get(origin) as Int32Array,
      views.get(name) as Int32Array,
      shapeOf(name, sources, to.tiedHead),
      new SeededRandom(`${seed}/${name}`),
    );
  }
  return grown;
}

/** The tensor of the smaller model that this one grows from; undefined: it starts as zeros. */
function originOf(name: string, { from, to, rule }: Omit<Growth, "seed">): string | undefined {
  const [, layer, role] = /^model\.layers\.(\d+)\.(.*)$/.exec(name) ?? [];
  if (layer === undefined || role === undefined) return name;
  const at = Number(layer);
  if (rule.depth === "stack") return `model.layers.${at % from.layersCount}.${role}`;
  const source = sourceOfLayer(at, from, to);
  const isNew = at > 0 && sourceOfLayer(at - 1, from, to) === source;
  const isOutput = role === "self_attn.o_proj.weight" || role === "mlp.down_proj.weight";
  return isNew && isOutput ? undefined : `model.layers.${source}.${role}`;
}

/** Layers are spread evenly: each is followed by the new ones that copy it. */
function sourceOfLayer(layer: number, from: ModelConfig, to: ModelConfig): number {
  return Math.floor((layer * from.layersCount) / to.layersCount);
}

function shapeOf(name: string, sources: Sources, tiedHead: boolean): GrownMatrix {
  const { vocabulary, hidden, units, queries, keys } = sources;
  const single = Int32Array.of(0);
  const role = name.split(".").at(-2) as string;
  const matrix = (rows: Int32Array, columns: Int32Array, isSplit = true): GrownMatrix => ({
    rows,
    columns,
    isSplit,
  });
  switch (role) {
    case "embed_tokens":
      return matrix(vocabulary, hidden, false);
    case "lm_head":
      return matrix(vocabulary, hidden);
    case "q_proj":
      return matrix(queries, hidden);
    case "k_proj":
    case "v_proj":
      return matrix(keys, hidden);
    case "o_proj":
      return matrix(hidden, queries);
    case "gate_proj":
    case "up_proj":
      return matrix(units, hidden);
    case "down_proj":
      return matrix(hidden, units);
    case "norm":
      return matrix(single, hidden, tiedHead);
    default:
      assert(role.endsWith("layernorm"), `the model has no tensor ${name}`);
      return matrix(single, hidden, false);
  }
}
