/** CRC-32C (Castagnoli's polynomial, reflected; RFC 3720, appendix B.4), as LevelDB keeps it. */

const TABLE: Uint32Array = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  return crc;
});

export function crc32c(bytes: Uint8Array): number {
  let crc = CRC_START;
  for (let i = 0; i < bytes.length; i++) crc = crcNext(crc, bytes[i] as number);
  return crcEnd(crc);
}

// One byte after the other, for whoever has to look for the end of what a checksum covers.

export const CRC_START = 0xffffffff;

export function crcNext(crc: number, byte: number): number {
  return (crc >>> 8) ^ (TABLE[(crc ^ byte) & 0xff] as number);
}

export function crcEnd(crc: number): number {
  return ~crc >>> 0;
}

/** LevelDB stores checksums rotated and shifted, because checksums of data that holds checksums are weak. */
export function unmask(masked: number): number {
  const rotated = (masked - 0xa282ead8) >>> 0;
  return ((rotated << 15) | (rotated >>> 17)) >>> 0;
}
