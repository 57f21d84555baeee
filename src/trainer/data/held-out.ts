/**
 * What is trained on and what is only measured on: a piece is held out when its hash, read as a number in [0, 1), is
 * below the share. Equal pieces are on the same side, wherever and in whatever data they occur, so nothing that is
 * measured on was seen in training under another name.
 */
import { sha256 } from "../../core/index.ts";
import type { DocumentPart } from "./pieces.ts";

export type Side = "train" | "heldOut";

export interface SidedPiece extends DocumentPart {
  readonly side: Side;
}

/**
 * Puts each piece on its side. Until one is held out, the one with the lowest hash waits: should none ever be, because
 * there are so few, it is the one.
 */
export async function* sides(
  pieces: AsyncIterable<DocumentPart>,
  heldOutShare: number,
): AsyncGenerator<SidedPiece> {
  let candidate: { piece: DocumentPart; place: number } | undefined;
  let isAnyHeldOut = false;
  let count = 0;
  for await (const piece of pieces) {
    count += 1;
    const place = placeOf(piece.bytes);
    if (place < heldOutShare) {
      isAnyHeldOut = true;
      yield { ...piece, side: "heldOut" };
    } else if (isAnyHeldOut || (candidate !== undefined && place >= candidate.place)) {
      yield { ...piece, side: "train" };
    } else {
      // The piece is a view of what is being read: the one that waits needs bytes of its own.
      const waits = { piece: { ...piece, bytes: Uint8Array.from(piece.bytes) }, place };
      if (candidate !== undefined) yield { ...candidate.piece, side: "train" };
      candidate = waits;
    }
  }
  if (candidate !== undefined)
    yield { ...candidate.piece, side: isAnyHeldOut || count === 1 ? "train" : "heldOut" };
}

/** sha256 as a number in [0, 1): its first 48 bits, big-endian. */
function placeOf(bytes: Uint8Array): number {
  return Buffer.from(sha256(bytes)).readUIntBE(0, 6) / 2 ** 48;
}
