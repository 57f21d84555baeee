/**
 * Looks for damage in a table of a LevelDB: LevelDB keeps a checksum of every block but doesn't look at it when it reads
 * (`verify_checksums` is off, and classic-level can't switch it on).
 *
 * A table is blocks without gaps, each followed by its type (1 byte) and the masked crc32c of both (4 bytes), and a
 * footer of 48 bytes: where the last two blocks are (four varints, then zeros), and a magic number. Where the blocks end
 * is in one of them, which may be compressed; their checksums show it as well. From: leveldb/doc/table_format.md.
 */
import { CRC_START, crcEnd, crcNext, unmask } from "./crc32c.ts";

const FOOTER_BYTES = 48;
const HANDLES_BYTES = 40;
const TRAILER_BYTES = 5;
const TYPE_MAX = 1;
const MAGIC = [0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb];

interface Block {
  readonly offset: number;
  /** Without type and checksum. */
  readonly bytes: number;
}

/** The offset of the first block that doesn't fit its checksum, or of a footer that is none. */
export function damageInTable(table: Uint8Array): number | undefined {
  const footerAt = Math.max(0, table.length - FOOTER_BYTES);
  const blocks: Block[] = [];
  for (let at = 0; at < footerAt;) {
    const block = blockAt(table, at, footerAt);
    if (block === undefined) return at;
    blocks.push(block);
    at = block.offset + block.bytes + TRAILER_BYTES;
  }
  const [metaIndex, index] = blocks.slice(-2);
  if (metaIndex === undefined || index === undefined) return footerAt;
  const expected = footerOf(metaIndex, index);
  return Buffer.compare(expected, table.subarray(footerAt)) === 0 ? undefined : footerAt;
}

/** The shortest block from `at` on that fits its checksum. */
function blockAt(table: Uint8Array, at: number, end: number): Block | undefined {
  const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
  let crc = CRC_START;
  for (let typeAt = at; typeAt + TRAILER_BYTES <= end; typeAt++) {
    const type = table[typeAt] as number;
    crc = crcNext(crc, type);
    if (type <= TYPE_MAX && crcEnd(crc) === unmask(view.getUint32(typeAt + 1, true)))
      return { offset: at, bytes: typeAt - at };
  }
  return undefined;
}

function footerOf(metaIndex: Block, index: Block): Uint8Array {
  const footer = new Uint8Array(FOOTER_BYTES);
  footer.set([metaIndex.offset, metaIndex.bytes, index.offset, index.bytes].flatMap(varint));
  footer.set(MAGIC, HANDLES_BYTES);
  return footer;
}

/** 7 bits a byte, the lowest first; all but the last with the high bit set. */
function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))];
}
