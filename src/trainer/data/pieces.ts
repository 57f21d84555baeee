/**
 * Documents -> pieces: a short document is one, a long one is cut at line breaks. A piece is what is held out or
 * trained on as a whole, so its size is a compromise: large enough for a few contexts, small enough that the share of
 * what is held out comes near what was asked for.
 *
 * Pieces grow with what has been read, from 256 bytes to 64 KiB: a 64th of it. So a book is cut into a few hundred,
 * and nobody needs to know the length of a stream before its end.
 */

/** Part of a document, in order; the parts of one document follow each other. */
export interface DocumentPart {
  readonly bytes: Uint8Array; // UTF-8
  readonly endsDocument: boolean;
}

const PIECE_BYTES_MIN = 256;
const PIECE_BYTES_MAX = 65_536;
const PIECE_SHARE = 1 / 64;

const NEWLINE = 0x0a;
const SPACE = 0x20;

/** Never holds more than one part and one piece. */
export async function* piecesOf(parts: AsyncIterable<DocumentPart>): AsyncGenerator<DocumentPart> {
  let bytesDone = 0;
  let rest: Uint8Array = new Uint8Array(0);
  for await (const { bytes, endsDocument } of parts) {
    rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    for (;;) {
      const bytesMax = pieceBytesMax(bytesDone);
      if (rest.length <= bytesMax) break;
      const cut = cutAt(rest, bytesMax);
      yield { bytes: rest.subarray(0, cut), endsDocument: false };
      bytesDone += cut;
      rest = rest.subarray(cut);
    }
    if (!endsDocument) continue;
    if (rest.length > 0) yield { bytes: rest, endsDocument: true };
    bytesDone += rest.length;
    rest = new Uint8Array(0);
  }
}

function pieceBytesMax(bytesDone: number): number {
  return Math.floor(Math.min(PIECE_BYTES_MAX, Math.max(PIECE_BYTES_MIN, bytesDone * PIECE_SHARE)));
}

/** The last line break in the second half of the first `bytesMax`; else the last space; else between two characters. */
function cutAt(bytes: Uint8Array, bytesMax: number): number {
  const least = bytesMax >> 1;
  for (const mark of [NEWLINE, SPACE]) {
    const at = bytes.lastIndexOf(mark, bytesMax - 1);
    if (at >= least) return at + 1;
  }
  let cut = bytesMax;
  while (cut > least && isContinuation(bytes[cut])) cut--;
  return cut;
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}
