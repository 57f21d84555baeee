/** Verify and ledger over a data folder that no node uses. */
import { type Clock, type Logger, systemClock } from "../../core/index.ts";
import { type Archive, openArchive } from "../../storage/index.ts";
import { parseHeader } from "../../consensus/index.ts";
import { checkWhole } from "../join/whole-history.ts";
import { type LandmarkStore, openLandmarks } from "./landmark.ts";
import { type LedgerEntry, readLedger } from "./ledger.ts";
import type { VerifyOptions, VerifyReport } from "./report.ts";
import { verifyHistory } from "./verify.ts";

/**
 * Checks a node's whole history, from where the last check left off unless `fromStart`.
 * @throws StarlingError `DATA_DIR_EMPTY`, `DATA_DIR_IN_USE`, `DATA_DIR_NEWER`, `DATA_DIR_DAMAGED`, `KEY_INVALID`, `DISK_*`, `HISTORY_PARTIAL`
 */
export async function verifyOffline(
  dataDir: string,
  options: Pick<VerifyOptions, "fromStart" | "signal" | "onFinding" | "onProgress">,
  { log, clock = systemClock }: { log: Logger; clock?: Clock },
): Promise<VerifyReport> {
  const source = await openArchive(dataDir);
  try {
    await checkArchive(source);
    const landmarks = (phase: number): LandmarkStore =>
      openLandmarks(source.dir, { run: source.run, phase, log });
    return await verifyHistory({ ...options, source, landmarks, clock });
  } finally {
    await source.close();
  }
}

/**
 * Every contribution in a folder that fits.
 * @throws StarlingError the same, and `MANIFEST_MISSING`
 */
export async function readLedgerOffline(
  dataDir: string,
  options: Omit<Parameters<typeof readLedger>[1], "signal">,
): Promise<LedgerEntry[]> {
  const source = await openArchive(dataDir);
  try {
    await checkArchive(source);
    return await readLedger(source, { ...options, signal: new AbortController().signal });
  } finally {
    await source.close();
  }
}

async function checkArchive(source: Archive): Promise<void> {
  for await (const { bytes } of source.headers()) {
    const parsed = parseHeader(bytes);
    // What is no header is for the check itself to name.
    if (parsed.kind === "accept") return checkWhole(source.dir, parsed.value.header.round);
  }
}
