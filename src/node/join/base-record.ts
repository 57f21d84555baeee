/**
 * What joiners are told of a settled state (docs/protocol.md, "Joining"): where its weights are, and what its root covers
 * besides them. Canonical DAG-CBOR, so that whoever holds the state has the same bytes, and they are pulled from all of
 * them at once.
 */
import { decode, encode } from "@ipld/dag-cbor";
import { CID } from "multiformats/cid";
import { z } from "zod";
import {
  type Base,
  type Rule,
  accountsOfRecord,
  accountsRecordSchema,
  recordOfAccounts,
  settledRoot,
} from "../../consensus/index.ts";
import {
  type Cid,
  type RunId,
  type Verdict,
  accept,
  checkCid,
  digestFromBytes,
  digestToBytes,
  messageOf,
  reject,
} from "../../core/index.ts";

/** A settled state and the body of its weights: (P,) int32 fixed point, little-endian. */
export interface BaseRecord {
  readonly phase: number;
  readonly base: Base;
  readonly weights: Cid;
}

/** Above what 64 members and 80 rounds need (0.3 MiB) by far, and what 1024 of them need. */
export const BASE_BYTES_MAX: number = 16 * 2 ** 20;
const VERSION = 1;

const digest = z
  .instanceof(Uint8Array)
  .refine((bytes) => bytes.length === 32, "expected 32 bytes")
  .transform(digestFromBytes);
const count = z
  .int()
  .min(0)
  .max(2 ** 31 - 1);
const schema = z.strictObject({
  v: z.literal(VERSION),
  phase: count,
  round: count,
  weights: z.custom<CID>((link) => CID.asCID(link) !== null && checkCid(link as CID) !== undefined),
  weightsRoot: digest,
  accounts: accountsRecordSchema,
  roots: z.array(digest).max(256),
});

export function encodeBase({ phase, base, weights }: BaseRecord): Uint8Array {
  return encode({
    v: VERSION,
    phase,
    round: base.round,
    weights: CID.parse(weights),
    weightsRoot: digestToBytes(base.weightsRoot),
    accounts: recordOfAccounts(base.accounts),
    roots: base.roots.map(digestToBytes),
  });
}

/** Never throws; `root` is computed from what the bytes say. Whether it is the wanted one is the caller's to compare. */
export function decodeBase(
  bytes: Uint8Array,
  { run, rule }: { run: RunId; rule: Rule },
): Verdict<BaseRecord> {
  let value: unknown;
  try {
    value = decode(bytes);
  } catch (error) {
    // A peer's bytes.
    return reject("BASE_MALFORMED", `expected DAG-CBOR: ${messageOf(error)}`);
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) return reject("BASE_MALFORMED", z.prettifyError(parsed.error));
  const { phase, round, weights, weightsRoot, roots } = parsed.data;
  if (roots.length !== rule.settleDepth || round < rule.settleDepth + 2)
    return reject("BASE_MALFORMED", `expected ${rule.settleDepth} roots before a later round than ${round}`);
  const accounts = accountsOfRecord(parsed.data.accounts, rule);
  const root = settledRoot({ run, phase, round, weightsRoot, accounts });
  const base = { round, root, weightsRoot, accounts, roots };
  return accept({ phase, base, weights: weights.toString() as Cid });
}
