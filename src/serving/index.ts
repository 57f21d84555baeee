/** A model behind OpenAI's interface: HTTP, keys, turns and counts. It is given what writes. */
export { type Serving, type ServingDeps, type ServingOptions, createServing } from "./server.ts";
export { type ServingMetrics, createServingMetrics } from "./metrics.ts";
export { type ApiKey, parseKeys } from "./keys.ts";
export { type Usage, UsageBook, usageSchema } from "./usage.ts";
export type { BegunText, Prompt, ServedModel, TextPart, TextRequest, Writer } from "./writer.ts";
