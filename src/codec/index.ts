/** Parameter-sized vectors to few bytes and back: chunked top-k with error feedback. Pure, integer, byte-exact. */
export { CHUNK_LENGTH, type CodecSettings } from "./settings.ts";
export { type CodecSchedule, type CodecStage, codecAt, codecScheduleSchema } from "./schedule.ts";
export { deltaBytesMax } from "./frame.ts";
export { encodeDelta } from "./encode.ts";
export { type DeltaReader, decodeDelta, openDelta } from "./open.ts";
export { accumulateResidual, trainingStart } from "./residual.ts";
