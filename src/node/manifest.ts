/** A run's constitution. Content-addressed: the run's name is the CID of its canonical DAG-CBOR. */
import { decode, encode } from "@ipld/dag-cbor";
import { readFile, writeFile } from "node:fs/promises";
import { z } from "zod";
import { type CodecSettings, codecSettingsSchema, deltaBytesMax } from "../codec/index.ts";
import {
  type CreditRule,
  type PhaseLimits,
  type Rule,
  creditRuleSchema,
  ruleSchema,
} from "../consensus/index.ts";
import {
  type Cid,
  DAG_CBOR,
  type PeerId,
  type RunId,
  StarlingError,
  cidOf,
  messageOf,
  parseCid,
} from "../core/index.ts";
import {
  type BatchConfig,
  type ModelConfig,
  type Optimizer,
  batchSchema,
  modelConfigSchema,
  optimizerSchema,
  tensorLengths,
} from "../trainer/index.ts";

export const MANIFEST_VERSION = 1;

export interface Phase {
  readonly model: ModelConfig;
  /** The phase ends when the flock's included tokens reach this. */
  readonly tokensBudget: number;
  readonly batch: BatchConfig;
  /** A node publishes after this time even with steps left. */
  readonly roundMsMax: number;
  readonly optimizer: Optimizer;
  readonly codec: CodecSettings;
  /** Error feedback: the share of the residual that is carried on. */
  readonly residualBeta: number;
  readonly rule: Rule;
  /** What settled work earns; absent: nothing. Optional, so that older manifests keep their run's name. */
  readonly credits?: CreditRule;
}

export interface Manifest {
  readonly v: typeof MANIFEST_VERSION;
  readonly name: string;
  /** Of the initial weights. */
  readonly seed: string;
  /** Who votes before any round has settled; none: the authors of round 0. */
  readonly founders: readonly PeerId[];
  readonly data: {
    /** The text as a body: its blocks travel among peers. */
    readonly root: Cid;
    readonly bytes: number;
    /** The last share of the text is only measured on. */
    readonly heldOutShare: number;
    readonly source: string;
    readonly licence: string;
  };
  readonly tokenizer: "bytes";
  /** The model ladder. */
  readonly phases: readonly Phase[];
}

const cid = z.custom<Cid>(
  (value) => typeof value === "string" && parseCid(value) !== undefined,
  "expected a CID",
);
const peerId = z.custom<PeerId>(
  (value) => typeof value === "string" && value.length <= 128,
  "expected a peer id",
);
const text = z.string().max(256);

const phaseSchema: z.ZodType<Phase> = z
  .strictObject({
    model: modelConfigSchema,
    tokensBudget: z.int().min(1),
    batch: batchSchema,
    roundMsMax: z
      .int()
      .min(1)
      .max(7 * 24 * 3_600_000),
    optimizer: optimizerSchema,
    codec: codecSettingsSchema,
    residualBeta: z.number().min(0).max(1),
    rule: ruleSchema,
    credits: creditRuleSchema.exactOptional(),
  })
  .refine((p) => p.model.vocabSize === 256, "expected vocabSize 256, the byte tokenizer's");

const manifestSchema: z.ZodType<Manifest> = z.strictObject({
  v: z.literal(MANIFEST_VERSION),
  name: text.min(1),
  seed: text,
  founders: z.array(peerId).max(1024),
  data: z.strictObject({
    root: cid,
    bytes: z
      .int()
      .min(1)
      .max(2 ** 31),
    heldOutShare: z.number().gt(0).lt(1),
    source: text,
    licence: text,
  }),
  tokenizer: z.literal("bytes"),
  phases: z.array(phaseSchema).length(1, "expected one phase: this version does not climb a ladder yet"),
});

/** @throws StarlingError `MANIFEST_INVALID` that names every field that is off. */
export function parseManifest(value: unknown): Manifest {
  const result = manifestSchema.safeParse(value);
  if (result.success) return result.data;
  throw new StarlingError("MANIFEST_INVALID", `expected a run manifest:\n${z.prettifyError(result.error)}`, {
    cause: result.error,
  });
}

/** The manifest as the block that names the run. */
export function encodeManifest(manifest: Manifest): Uint8Array {
  return encode(manifest);
}

export function runIdOf(manifest: Manifest): RunId {
  return cidOf(encodeManifest(manifest), DAG_CBOR) as RunId;
}

/** @throws StarlingError `MANIFEST_INVALID` */
export function decodeManifest(block: Uint8Array): Manifest {
  let value: unknown;
  try {
    value = decode(block);
  } catch (error) {
    throw new StarlingError("MANIFEST_INVALID", `expected DAG-CBOR: ${messageOf(error)}`, { cause: error });
  }
  return parseManifest(value);
}

/** @throws StarlingError `MANIFEST_UNREADABLE`, `MANIFEST_INVALID` */
export async function readManifestFile(path: string): Promise<Manifest> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    const message = `expected a manifest in JSON at ${path}: ${messageOf(error)}; \`starling init\` writes one`;
    throw new StarlingError("MANIFEST_UNREADABLE", message, { cause: error });
  }
  return parseManifest(value);
}

export async function writeManifestFile(path: string, manifest: Manifest): Promise<void> {
  await writeFile(path, `${JSON.stringify(manifest, null, 2)}\n`);
}

/** What the rule needs to know of a phase. */
export function limitsOf(manifest: Manifest, index: number): PhaseLimits {
  const phase = phaseOf(manifest, index);
  return {
    phase: index,
    tokensBudget: phase.tokensBudget,
    tokensPerStep: phase.batch.sequences * phase.model.contextLength,
    stepsMax: phase.batch.stepsMax,
    deltaBytesMax: deltaBytesMax(tensorLengths(phase.model), phase.codec),
  };
}

export function phaseOf(manifest: Manifest, index: number): Phase {
  const phase = manifest.phases[index];
  if (phase === undefined) {
    throw new StarlingError(
      "PHASE_UNKNOWN",
      `expected a phase below ${manifest.phases.length}, got ${index}`,
    );
  }
  return phase;
}
