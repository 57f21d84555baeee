/** A run's constitution. Content-addressed: the run's name is the CID of its canonical DAG-CBOR. */
import { decode, encode } from "@ipld/dag-cbor";
import { readFile, writeFile } from "node:fs/promises";
import { z } from "zod";
import { type CodecSchedule, codecAt, codecScheduleSchema, deltaBytesMax } from "../../codec/index.ts";
import {
  type CreditRule,
  type PhaseLimits,
  type Rule,
  creditRuleSchema,
  ruleSchema,
} from "../../consensus/index.ts";
import {
  type Cid,
  DAG_CBOR,
  type Digest,
  type PeerId,
  type RunId,
  StarlingError,
  assert,
  cidOf,
  messageOf,
  parseCid,
} from "../../core/index.ts";
import { type Entry, PHASES_MAX, entrySchema, ladderIssues } from "./ladder.ts";
import {
  BYTE_VOCABULARY,
  type BatchConfig,
  type GateSettings,
  type Growth,
  type ModelConfig,
  type Optimizer,
  batchSchema,
  gateSettingsSchema,
  modelConfigSchema,
  optimizerSchema,
  tensorLengths,
} from "../../trainer/index.ts";
import { type TokenizerName, tokenizerNameSchema } from "../data/record.ts";
import { isEd25519PeerId } from "../keys/peer-ids.ts";

export const MANIFEST_VERSION = 1;

/** 2^44: at 64 members and a window of 64 rounds, four billion tokens in one contribution. */
const WEIGHT_MAX = 2 ** 44;

export interface Phase {
  readonly model: ModelConfig;
  /** The phase ends when the flock's included tokens reach this. */
  readonly tokensBudget: number;
  readonly batch: BatchConfig;
  /** A node publishes after this time even with steps left. */
  readonly roundMsMax: number;
  readonly optimizer: Optimizer;
  readonly codec: CodecSchedule;
  /** Error feedback: the share of the residual that is carried on. */
  readonly residualBeta: number;
  /**
   * The share of its residual that a node trains on top of, at most residualBeta; absent: 0. Optional, so that older
   * manifests keep their run's name.
   */
  readonly residualInStart?: number;
  readonly rule: Rule;
  /** What a delta must pass before a node cites it; absent: the defaults. Optional, so that older manifests keep their run's name. */
  readonly gates?: GateSettings;
  /** What settled work earns; absent: nothing. Optional, so that older manifests keep their run's name. */
  readonly credits?: CreditRule;
  /** How it is entered from the phase before; in all but the first. */
  readonly entry?: Entry;
}

/** Who may take part in a closed run: each of these that is there must be met. */
export interface Admission {
  /** Only these may connect and contribute. */
  readonly peers?: readonly PeerId[];
  /** Only holders of the network key with this digest may connect. */
  readonly networkKey?: Digest;
}

export interface Manifest {
  readonly v: typeof MANIFEST_VERSION;
  readonly name: string;
  /** Of the initial weights. */
  readonly seed: string;
  /** Who votes before any round has settled; none: the authors of round 0. */
  readonly founders: readonly PeerId[];
  /** Of a closed run; absent: anybody may take part. */
  readonly admission?: Admission;
  /** Records of shards (data/record.ts), as bodies: what is learned is all of them together. */
  readonly data: readonly Cid[];
  readonly tokenizer: TokenizerName;
  /** The weights that the first phase starts from, as a body of P int32; null: initial weights from the seed. */
  readonly start: Cid | null;
  /** The model ladder, up to `PHASES_MAX` rungs. */
  readonly phases: readonly Phase[];
}

const cid = z.custom<Cid>(
  (value) => typeof value === "string" && parseCid(value) !== undefined,
  "expected a CID",
);
/** Round 0 waits for every founder: one that nobody can be would keep it for ever. */
const peerId = z.custom<PeerId>(isEd25519PeerId, "expected the peer id of an Ed25519 key, in base58");
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
    codec: codecScheduleSchema,
    residualBeta: z.number().min(0).max(1),
    residualInStart: z.number().min(0).max(1).exactOptional(),
    rule: ruleSchema,
    gates: gateSettingsSchema.exactOptional(),
    credits: creditRuleSchema.exactOptional(),
    entry: entrySchema.exactOptional(),
  })
  .refine(
    (p) => weightMax(p) <= WEIGHT_MAX,
    `expected stepsMax * sequences * contextLength * weightWindow * membersMax <= ${WEIGHT_MAX}, or voting weights would not be exact`,
  )
  .refine(
    (p) => (p.residualInStart ?? 0) <= p.residualBeta,
    "expected residualInStart <= residualBeta: training goes on from what is carried on",
  );

const admissionSchema = z
  .strictObject({
    peers: z.array(peerId).min(1).max(1024).exactOptional(),
    networkKey: z
      .custom<Digest>(
        (value) => typeof value === "string" && /^[0-9a-f]{64}$/.test(value),
        "expected 64 hex digits",
      )
      .exactOptional(),
  })
  .refine((a) => a.peers !== undefined || a.networkKey !== undefined, "expected peers, networkKey, or both");

const manifestSchema: z.ZodType<Manifest> = z
  .strictObject({
    v: z.literal(MANIFEST_VERSION),
    name: text.min(1),
    seed: text,
    founders: z.array(peerId).max(1024),
    admission: admissionSchema.exactOptional(),
    data: z.array(cid).min(1).max(64),
    tokenizer: tokenizerNameSchema,
    start: cid.nullable(),
    phases: z
      .array(phaseSchema)
      .min(1)
      .max(PHASES_MAX)
      .superRefine((phases, context) => {
        for (const issue of ladderIssues(phases)) context.addIssue({ code: "custom", ...issue });
      }),
  })
  .refine(
    (m) => m.tokenizer !== "bytes" || m.phases.every(({ model }) => model.vocabSize === BYTE_VOCABULARY),
    `expected vocabSize ${BYTE_VOCABULARY}, the byte tokenizer's`,
  );

/** What one author can claim at most, summed over a window of full rounds; far below 2^53, with room for factors. */
function weightMax({ model, batch, rule }: Phase): number {
  return batch.stepsMax * batch.sequences * model.contextLength * rule.weightWindow * rule.membersMax;
}

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

/**
 * The manifest in a block. There is one block for a manifest: another encoding, or a default left out, would be the same
 * run under another name.
 * @throws StarlingError `MANIFEST_INVALID`
 */
export function decodeManifest(block: Uint8Array): Manifest {
  let value: unknown;
  try {
    value = decode(block);
  } catch (error) {
    throw new StarlingError("MANIFEST_INVALID", `expected DAG-CBOR: ${messageOf(error)}`, { cause: error });
  }
  const manifest = parseManifest(value);
  if (Buffer.compare(encodeManifest(manifest), block) === 0) return manifest;
  throw new StarlingError(
    "MANIFEST_INVALID",
    "expected the one canonical encoding of this manifest with all fields; `starling init` writes one",
  );
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
    ...(index + 1 < manifest.phases.length && { isRung: true }),
    deltaBytesMax: Math.max(...phase.codec.map(({ fromTokens }) => deltaBytesMaxAt(phase, fromTokens))),
    ...(manifest.admission?.peers === undefined ? {} : { authors: manifest.admission.peers }),
  };
}

/** How the weights of the phase below grow into a phase that is not the first. */
export function growthInto(manifest: Manifest, index: number): Growth {
  const [below, { model, entry }] = [phaseOf(manifest, index - 1), phaseOf(manifest, index)];
  assert(entry !== undefined, "every phase but the first has an entry");
  return { from: below.model, to: model, rule: entry.growth, seed: `${manifest.seed}/phase/${index}` };
}

/** The most bytes that a delta can have in a contribution with so many settled tokens in its history. */
export function deltaBytesMaxAt({ model, codec }: Phase, settledTokens: number): number {
  return deltaBytesMax(tensorLengths(model), codecAt(codec, settledTokens));
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
