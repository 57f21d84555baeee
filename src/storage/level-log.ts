/**
 * Looks for damage in the logs of a LevelDB, before it is opened: opening one moves its records into tables, and drops
 * damaged ones without a word (`paranoid_checks` is off, and classic-level can't switch it on). Tables need no such
 * look: what is in them is compared with its hashes.
 *
 * A log is blocks of 32 KiB of records that don't cross blocks: masked crc32c of type and data (4 bytes, little-endian),
 * length (2), type (1), data; a rest of less than 7 bytes is zero. From: leveldb/doc/log_format.md.
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { diskError, errorCode, readWholeFile } from "./files.ts";

const LOG_BLOCK_BYTES = 32_768;
const HEAD_BYTES = 7;

export interface LogDamage {
  readonly path: string;
  /** Of the record that is damaged. */
  readonly offset: number;
}

/** The first damaged record of each log in a LevelDB's folder. Throws `DISK_READ_FAILED`. */
export async function findLogDamage(dir: string): Promise<LogDamage[]> {
  const damages: LogDamage[] = [];
  for (const name of (await namesIn(dir)).filter((each) => each.endsWith(".log")).toSorted()) {
    const path = join(dir, name);
    const offset = damageIn((await readWholeFile(path))?.bytes ?? new Uint8Array(0));
    if (offset !== undefined) damages.push({ path, offset });
  }
  return damages;
}

async function namesIn(dir: string): Promise<string[]> {
  try {
    return await readdir(dir);
  } catch (error) {
    // No folder has no logs; anything else needs a person.
    if (errorCode(error) === "ENOENT") return [];
    throw diskError("read", dir, error);
  }
}

/** The offset of the first damaged record; a last record that was cut short by a crash is not damage. */
export function damageIn(log: Uint8Array): number | undefined {
  const view = new DataView(log.buffer, log.byteOffset, log.byteLength);
  for (let at = 0; at < log.length;) {
    const blockEnd = Math.min(log.length, (Math.floor(at / LOG_BLOCK_BYTES) + 1) * LOG_BLOCK_BYTES);
    if (blockEnd - at < HEAD_BYTES) {
      const isPadding = blockEnd < log.length || blockEnd % LOG_BLOCK_BYTES === 0;
      if (isPadding && log.subarray(at, blockEnd).some((byte) => byte !== 0)) return at;
      at = blockEnd;
      continue;
    }
    const expected = unmask(view.getUint32(at, true));
    const end = at + HEAD_BYTES + view.getUint16(at + 4, true);
    if (end > blockEnd) {
      // Longer than its block: at the end of the log that is a crash, unless a shorter length fits the checksum.
      return blockEnd < log.length || someLengthFits(log, at, expected) ? at : undefined;
    }
    if (crc32c(log.subarray(at + HEAD_BYTES - 1, end)) !== expected) return at;
    at = end;
  }
  return undefined;
}

function someLengthFits(log: Uint8Array, at: number, expected: number): boolean {
  let crc = 0xffffffff;
  for (const byte of log.subarray(at + HEAD_BYTES - 1)) {
    crc = next(crc, byte);
    if (~crc >>> 0 === expected) return true;
  }
  return false;
}

/** LevelDB stores checksums rotated and shifted, because checksums of data that holds checksums are weak. */
function unmask(masked: number): number {
  const rotated = (masked - 0xa282ead8) >>> 0;
  return ((rotated << 15) | (rotated >>> 17)) >>> 0;
}

/** Castagnoli's polynomial, reflected (RFC 3720, appendix B.4). */
const TABLE: Uint32Array = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  return crc;
});

function next(crc: number, byte: number): number {
  return (crc >>> 8) ^ (TABLE[(crc ^ byte) & 0xff] as number);
}

export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = next(crc, byte);
  return ~crc >>> 0;
}
