/**
 * Looks for damage in a log of a LevelDB: when LevelDB opens one it moves its records into tables, and drops damaged ones
 * without a word (`paranoid_checks` is off, and classic-level can't switch it on).
 *
 * A log is blocks of 32 KiB of records that don't cross blocks: masked crc32c of type and data (4 bytes, little-endian),
 * length (2), type (1), data; a rest of less than 7 bytes is zero. From: leveldb/doc/log_format.md.
 */
import { CRC_START, crc32c, crcEnd, crcNext, unmask } from "./crc32c.ts";

const LOG_BLOCK_BYTES = 32_768;
const HEAD_BYTES = 7;

/** The offset of the first damaged record; a last record that was cut short by a crash is not damage. */
export function damageInLog(log: Uint8Array): number | undefined {
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
  let crc = CRC_START;
  for (const byte of log.subarray(at + HEAD_BYTES - 1)) {
    crc = crcNext(crc, byte);
    if (crcEnd(crc) === expected) return true;
  }
  return false;
}
