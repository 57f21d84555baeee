/**
 * The indices of a sparse chunk: gaps between neighbours, Rice-coded (Rice and Plaunt 1971). A gap is how many
 * elements are skipped before the next kept one. Bits go from the least significant up:
 *
 *   floor(gap / 2^p) zero bits, a one bit, then the p low bits of the gap; at the end zero bits up to a full byte
 *
 * p is a function of (length, kept), not sent: for k of n at random the gaps are near geometric with mean
 * u = (n - k) / k, and p + 1 beats p when P(gap >= 2^p) > 0.618.. (Kiely 2004, "Selecting the Golomb parameter in
 * Rice coding": the golden ratio), which is u + 1/2 > 2.078 * 2^p to within 1 %; 27 / 13 stands for 2.078.
 */

/** What `readGaps` returns in place of an offset. */
export const GAPS_TRUNCATED = -1;
export const GAPS_OUT_OF_RANGE = -2;
export const GAPS_PADDING = -3;

/** p: the least with 13 (2n - k) <= 54 k 2^p. At most 7 for the settings that exist. */
export function riceParameter(length: number, kept: number): number {
  let p = 0;
  while (13 * (2 * length - kept) > 54 * kept * 2 ** p) p++;
  return p;
}

/** The most bytes that the gaps of `kept` of `length` can take: all elements skipped in one gap. */
export function gapsBytesMax(length: number, kept: number): number {
  const p = riceParameter(length, kept);
  return Math.ceil((kept * (p + 1) + ((length - kept) >> p)) / 8);
}

/** Writes the ascending indices[0..kept) at `at`; returns the offset after them. */
export function writeGaps(
  out: Uint8Array,
  at: number,
  indices: Uint16Array,
  { kept, length }: { kept: number; length: number },
): number {
  const p = riceParameter(length, kept);
  let window = 0; // bits not yet written, fewer than 8 between gaps
  let bits = 0;
  let previous = -1;
  for (let i = 0; i < kept; i++) {
    const index = indices[i];
    const gap = index - previous - 1;
    previous = index;
    for (bits += gap >> p; bits >= 8; bits -= 8) {
      out[at++] = window;
      window = 0;
    }
    window |= (1 | ((gap & ((1 << p) - 1)) << 1)) << bits;
    for (bits += 1 + p; bits >= 8; bits -= 8) {
      out[at++] = window & 255;
      window >>= 8;
    }
  }
  if (bits > 0) out[at++] = window;
  return at;
}

/**
 * Reads `kept` ascending indices below `length` from bytes[at..end) into indices[0..kept). Returns the offset after
 * them, or one of the negative codes; any bytes are safe.
 */
export function readGaps(
  bytes: Uint8Array,
  at: number,
  end: number,
  indices: Uint16Array,
  { kept, length }: { kept: number; length: number },
): number {
  const p = riceParameter(length, kept);
  let window = 0; // `bits` bits that are read but not used, zero above them
  let bits = 0;
  let index = -1;
  for (let i = 0; i < kept; i++) {
    let quotient = 0;
    while (window === 0) {
      quotient += bits;
      if (quotient << p >= length) return GAPS_OUT_OF_RANGE;
      if (at >= end) return GAPS_TRUNCATED;
      window = bytes[at++];
      bits = 8;
    }
    const zeros = 31 - Math.clz32(window & -window);
    quotient += zeros;
    window >>= zeros + 1;
    bits -= zeros + 1;
    for (; bits < p; bits += 8) {
      if (at >= end) return GAPS_TRUNCATED;
      window |= bytes[at++] << bits;
    }
    index += 1 + (quotient << p) + (window & ((1 << p) - 1));
    if (index >= length) return GAPS_OUT_OF_RANGE;
    indices[i] = index;
    window >>= p;
    bits -= p;
  }
  return window === 0 ? at : GAPS_PADDING;
}
