/**
 * How one node learns: model, compiled training step, engines, batches, checkpoints of weights. Knows no network
 * and no disk. Weights are either fixed point (shared, exact) or float32 (local, in an engine).
 */
export { type ModelConfig, modelConfigSchema, parametersCount } from "./model/config.ts";
export { type TensorSpec, modelTensors, tensorLengths, tensorViews } from "./model/tensors.ts";
export { initialWeights } from "./model/init.ts";
export { decodeWeights } from "./model/weights.ts";
export { type ModelPresetName, modelPresetNames, modelPresets } from "./model/presets.ts";
export { type Growth, growWeights } from "./growth/grow.ts";
export { growthObstacles } from "./growth/obstacles.ts";
export { type GrowthRule, growthRuleSchema } from "./growth/rule.ts";
export { type Optimizer, learningRate, optimizerSchema } from "./optimizer.ts";
export type { Tokenizer } from "./tokenizer/tokenizer.ts";
export { BYTE_VOCABULARY, byteTokenizer } from "./tokenizer/bytes.ts";
export { byteTokenizerFile } from "./tokenizer/byte-level.ts";
export { WordCounts, trainTokenizer } from "./tokenizer/train.ts";
export {
  type ChatSettings,
  type ChatTemplate,
  openChatTemplate,
  readChatSettings,
} from "./tokenizer/chat-template.ts";
export { TOKENIZER_BYTES_MAX, openTokenizer, tokenizerConfig } from "./tokenizer/huggingface.ts";
export { type DataFile, documentsOf } from "./data/documents.ts";
export { type DocumentPart, piecesOf } from "./data/pieces.ts";
export { type Side, sides } from "./data/held-out.ts";
export {
  type ShardName,
  type ShardSource,
  type Tokens,
  decodeShard,
  shardTokensMax,
  shardsOf,
} from "./data/shards.ts";
export {
  type Assignment,
  type BatchConfig,
  assignedBatch,
  assignedShard,
  batchSchema,
  heldOutBatches,
  nextBatch,
} from "./data/batches.ts";
export type { Engine, EngineName, StepResult, TrainingState } from "./engine/engine.ts";
export { runOn } from "./engine/backends.ts";
export { type Device, listDevices, takeDevices } from "./engine/devices.ts";
export { noMixedPrecision } from "./engine/onnx-engine.ts";
export { type EngineOptions, createEngine, supportedEngines } from "./engine/create.ts";
export type { GradientMemory } from "./model/programs.ts";
export {
  type EngineChoice,
  type Trial,
  type TrialResult,
  pickEngine,
  provenEngines,
  tryEngine,
} from "./engine/trial.ts";
export {
  type TrainingNeeds,
  deviceMemory,
  deviceTrainingBytes,
  gradientMemory,
  thriftierMemory,
  trainingBytes,
} from "./memory.ts";
export { type Gradients, compileGradients } from "./engine/gradients.ts";
export { Decoder, type DecoderOptions, DecoderPrograms } from "./engine/decoder.ts";
export { type Evaluator, openEvaluator } from "./engine/evaluator.ts";
export {
  type DrawOptions,
  type GenerateOptions,
  LINE_BREAK,
  drawTokens,
  generate,
} from "./generate/generate.ts";
export { type SampleOptions, sampleToken } from "./generate/sample.ts";
export { TextStream } from "./generate/text-stream.ts";
export { checkpointFiles, exportCheckpoint, importCheckpoint } from "./checkpoint/huggingface.ts";
export type { OwnRound } from "./gate/look.ts";
export { type Candidate, Gates } from "./gate/gates.ts";
export { GATES_DEFAULT, GATES_OFF, type GateSettings, gateSettingsSchema } from "./gate/settings.ts";
