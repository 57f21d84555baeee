/** Payout records on disk: the node's own in its data folder, others' in files that people send each other. */
import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { PrivateKey } from "@libp2p/interface";
import {
  type Address,
  type Payout,
  type UnsignedPayout,
  parsePayout,
  payoutSigningBytes,
} from "../../consensus/index.ts";
import {
  type RunId,
  StarlingError,
  type Verdict,
  accept,
  ignore,
  messageOf,
  reject,
} from "../../core/index.ts";
import { type Owner, readFiles, readOwner, writeFiles } from "../../storage/index.ts";
import { isSignedBy } from "../keys/identity.ts";
import { emptyFolder } from "../offline/offline.ts";

const PAYOUT_FILE = "payout.json";
/** Guess: a record has about 350 bytes; what is far larger is no record. */
const FILE_BYTES_MAX = 4096;
/** Guess: far more authors than a run has. */
const FILES_MAX = 100_000;

export async function signPayout(unsigned: UnsignedPayout, key: PrivateKey): Promise<Payout> {
  const sig = await key.sign(payoutSigningBytes(unsigned));
  return { ...unsigned, sig: Buffer.from(sig).toString("base64") };
}

/** `PAYOUT_MALFORMED`, `PAYOUT_OTHER_RUN`, `PAYOUT_SIGNATURE`. */
export async function verifyPayout(value: unknown, run: RunId): Promise<Verdict<Payout>> {
  const parsed = parsePayout(value);
  if (parsed.kind !== "accept") return parsed;
  const { sig, ...unsigned } = parsed.value;
  if (unsigned.run !== run) return ignore("PAYOUT_OTHER_RUN", `expected run ${run}, got ${unsigned.run}`);
  if (await isSignedBy(unsigned.author, payoutSigningBytes(unsigned), Buffer.from(sig, "base64")))
    return parsed;
  return reject("PAYOUT_SIGNATURE", `expected a signature of ${unsigned.author}`);
}

/**
 * Signs and keeps the address that this node's credits of the folder's run are paid to. A running node is not disturbed.
 * `sequence`: default one more than before; to be given when an earlier record was lost but others have it.
 * @throws StarlingError `DATA_DIR_EMPTY`, `PAYOUT_DAMAGED`, `PAYOUT_STALE`, and the `DISK_` codes
 */
export async function setPayout({
  dataDir,
  address,
  sequence: wished,
}: {
  dataDir: string;
  address: Address;
  sequence?: number;
}): Promise<Payout> {
  const owner = await ownerOf(dataDir);
  const before = await ownPayout(dataDir, owner);
  if (before?.address === address && wished === undefined) return before;
  const { key, run, peerId: author } = owner;
  const sequence = wished ?? (before?.sequence ?? 0) + 1;
  if (before !== undefined && sequence <= before.sequence) {
    throw new StarlingError(
      "PAYOUT_STALE",
      `expected a sequence above ${before.sequence}, that of the record at hand, got ${sequence}`,
    );
  }
  const record = await signPayout({ v: 1, run, author, address, sequence }, key);
  await writeFiles(dataDir, new Map([[PAYOUT_FILE, Buffer.from(payoutText(record))]]));
  return record;
}

/** The node's own record, or undefined. @throws StarlingError `DATA_DIR_EMPTY`, `PAYOUT_DAMAGED` */
export async function readOwnPayout(dataDir: string): Promise<Payout | undefined> {
  return ownPayout(dataDir, await ownerOf(dataDir));
}

/** A record as it is written to a file. */
export function payoutText(record: Payout): string {
  return `${JSON.stringify(record, null, 2)}\n`;
}

export interface PayoutFile {
  readonly path: string;
  readonly verdict: Verdict<Payout>;
}

/**
 * Reads and checks others' records: files, and all `.json` files of folders.
 * @throws StarlingError `PAYOUTS_UNREADABLE` when a path can't be read at all
 */
export async function readPayoutFiles(paths: readonly string[], run: RunId): Promise<PayoutFile[]> {
  const read: PayoutFile[] = [];
  for (const path of await expand(paths)) read.push({ path, verdict: await readPayoutFile(path, run) });
  return read;
}

async function ownerOf(dataDir: string): Promise<Owner> {
  const owner = await readOwner(dataDir);
  if (owner === undefined) throw emptyFolder(dataDir);
  return owner;
}

async function ownPayout(dataDir: string, { run, peerId }: Owner): Promise<Payout | undefined> {
  const path = join(dataDir, PAYOUT_FILE);
  if (!(await readdir(dataDir)).includes(PAYOUT_FILE)) return undefined;
  const verdict = await readPayoutFile(path, run);
  if (verdict.kind === "accept" && verdict.value.author === peerId) return verdict.value;
  const got = verdict.kind === "accept" ? `one of ${verdict.value.author}` : verdict.detail;
  throw new StarlingError(
    "PAYOUT_DAMAGED",
    `expected the signed payout record of ${peerId} in ${path}, got ${got}; put back a copy of it, or remove it`,
  );
}

async function readPayoutFile(path: string, run: RunId): Promise<Verdict<Payout>> {
  const value = await readJson(path);
  return value.kind === "accept" ? verifyPayout(value.value, run) : value;
}

async function readJson(path: string): Promise<Verdict<unknown>> {
  const { size } = await stat(path);
  if (size > FILE_BYTES_MAX)
    return reject("PAYOUT_MALFORMED", `expected at most ${FILE_BYTES_MAX} bytes, got ${size}`);
  const bytes = (await readFiles(dirname(path), [basename(path)])).get(basename(path));
  try {
    return accept(JSON.parse(Buffer.from(bytes ?? []).toString("utf8")) as unknown);
  } catch (error) {
    // Decides: whatever it is, it is no record.
    return reject("PAYOUT_MALFORMED", `expected JSON: ${messageOf(error)}`);
  }
}

async function expand(paths: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for (const path of paths) {
    try {
      const isFolder = (await stat(path)).isDirectory();
      const names = isFolder ? (await readdir(path)).filter((name) => name.endsWith(".json")).sort() : [];
      files.push(...(isFolder ? names.map((name) => join(path, name)) : [path]));
    } catch (error) {
      // Translated: says which of the given paths it was.
      const message = `expected a payout record, or a folder of them, at ${path}: ${messageOf(error)}`;
      throw new StarlingError("PAYOUTS_UNREADABLE", message, { cause: error });
    }
  }
  if (files.length <= FILES_MAX) return files;
  throw new StarlingError(
    "PAYOUTS_TOO_MANY",
    `expected at most ${FILES_MAX} payout records, got ${files.length}`,
  );
}
