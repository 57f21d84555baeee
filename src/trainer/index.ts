/**
 * How one node learns: model, compiled training step, engines, batches, checkpoints of weights. Knows no network
 * and no disk. Weights are either fixed point (shared, exact) or float32 (local, in an engine).
 */
export { type ModelConfig, modelConfigSchema, parametersCount } from "./model/config.ts";
export { type TensorSpec, modelTensors, tensorLengths } from "./model/tensors.ts";
export { initialWeights } from "./model/init.ts";
export { modelPresets } from "./model/presets.ts";
export { type Growth, growWeights } from "./growth/grow.ts";
export { growthObstacles } from "./growth/obstacles.ts";
export { type GrowthRule, growthRuleSchema } from "./growth/rule.ts";
export { type Optimizer, learningRate, optimizerSchema } from "./optimizer.ts";
export {
  type BatchConfig,
  assignedBatch,
  batchSchema,
  heldOutBatches,
  splitHeldOut,
} from "./data/batches.ts";
export { BYTE_VOCABULARY, decodeTokens, encodeText } from "./data/tokenizer.ts";
export type { Engine, EngineName, StepResult, TrainingState } from "./engine/engine.ts";
export { takeDevice } from "./engine/backends.ts";
export { type EngineOptions, createEngine, supportedEngines } from "./engine/create.ts";
export { type Gradients, compileGradients } from "./engine/gradients.ts";
export { type GenerateOptions, generate, sampleToken } from "./generate.ts";
export { exportCheckpoint, importCheckpoint } from "./checkpoint/huggingface.ts";
export type { GateSettings } from "./gate/settings.ts";
export { cosineOf, cosineOnSupport } from "./gate/cosine.ts";
