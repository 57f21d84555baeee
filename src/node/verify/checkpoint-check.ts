/** A saved checkpoint against itself: seal, every field of its meta, weights and roots. */
import { z } from "zod";
import {
  type AccountsRecord,
  accountsOfRecord,
  accountsRecordSchema,
  settledRoot,
} from "../../consensus/index.ts";
import {
  type Digest,
  type RunId,
  type Verdict,
  accept,
  bytesOf,
  reject,
  rootOfBytes,
} from "../../core/index.ts";
import { type CheckpointMeta, type RawFolder, checkSeal } from "../../storage/index.ts";
import type { PhaseFacts } from "./phase.ts";

export interface SoundCheckpoint {
  readonly meta: CheckpointMeta;
  /** (P,) fixed point. */
  readonly weights: Int32Array;
}

const digest = z.string().regex(/^[0-9a-f]{64}$/, "expected a sha2-256 in hex");
const metaSchema = z.strictObject({
  run: z.string(),
  phase: z.int().min(0),
  round: z.int().min(0),
  root: digest,
  weightsRoot: digest,
  accounts: accountsRecordSchema,
});

/** Whether it is what it says; whether that is this history's is the caller's to compare. */
export function checkCheckpoint(
  folder: RawFolder,
  { graph, parametersCount }: PhaseFacts,
): Verdict<SoundCheckpoint> {
  const broken = checkSeal(folder.files);
  if (broken !== undefined) return broken;
  const metaBytes = folder.files.get("meta.json") ?? new Uint8Array(0);
  const meta = parseMeta(metaBytes);
  if (meta === undefined)
    return reject("CHECKPOINT_META", "meta.json: expected a checkpoint's meta, got something else");
  const { run, phase } = graph;
  for (const [name, expected] of Object.entries({ run, phase: folder.phase, round: folder.round })) {
    const got = meta[name as "run" | "phase" | "round"];
    if (got !== expected)
      return reject("CHECKPOINT_META", `meta.json: expected ${name} ${expected}, got ${got}`);
  }
  const bytes = folder.files.get("weights.bin") ?? new Uint8Array(0);
  if (bytes.length !== 4 * parametersCount) {
    return reject(
      "CHECKPOINT_WEIGHTS",
      `weights.bin: expected ${4 * parametersCount} bytes, got ${bytes.length}`,
    );
  }
  const weightsRoot = rootOfBytes(bytes);
  if (weightsRoot !== meta.weightsRoot) {
    return reject("CHECKPOINT_WEIGHTS", `weights.bin: expected root ${meta.weightsRoot}, got ${weightsRoot}`);
  }
  const { round } = meta;
  const accounts = accountsOfRecord(meta.accounts, graph.rule);
  const root = round === 0 ? graph.startSettled : settledRoot({ run, phase, round, weightsRoot, accounts });
  if (root !== meta.root)
    return reject("CHECKPOINT_ROOT", `meta.json: expected root ${root}, got ${meta.root}`);
  const weights = new Int32Array(parametersCount);
  bytesOf(weights).set(bytes);
  return accept({ meta, weights });
}

function parseMeta(bytes: Uint8Array): (CheckpointMeta & { accounts: AccountsRecord }) | undefined {
  try {
    const { run, root, weightsRoot, ...rest } = metaSchema.parse(JSON.parse(Buffer.from(bytes).toString()));
    return { ...rest, run: run as RunId, root: root as Digest, weightsRoot: weightsRoot as Digest };
  } catch {
    // Not a meta: the caller says where.
    return undefined;
  }
}
