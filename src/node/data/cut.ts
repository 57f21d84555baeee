/** Cuts text into shards that a run can name: read, split, tokenised and stored as it streams by, never held whole. */
import type { PrivateKey } from "@libp2p/interface";
import { type Cid, StarlingError } from "../../core/index.ts";
import { type BlockStore, putBody } from "../../storage/index.ts";
import {
  type DocumentPart,
  type ShardName,
  type Tokenizer,
  piecesOf,
  shardsOf,
  sides,
} from "../../trainer/index.ts";
import { type DataRecord, type TokenizerName, signRecord } from "./record.ts";

export interface CutOptions {
  /** What people say of it. */
  readonly source: string;
  readonly licence: string;
  readonly documents: AsyncIterable<DocumentPart>;
  readonly tokenizer: { readonly name: TokenizerName; readonly tokenizer: Tokenizer };
  readonly heldOutShare: number;
}

/**
 * Stores the shards and their signed record; the CID is the record's.
 * @throws StarlingError `TEXT_EMPTY`, `DATA_INVALID`, `TEXT_UNREADABLE`, and the `DISK_` codes
 */
export async function cutData(
  options: CutOptions,
  { blocks, key }: { blocks: Pick<BlockStore, "put">; key: PrivateKey },
): Promise<{ cid: Cid; record: DataRecord }> {
  const { source, licence, tokenizer, heldOutShare } = options;
  const counts = { bytes: 0, documents: 0 };
  const lists = { train: [] as ShardName[], heldOut: [] as ShardName[] };
  const pieces = sides(piecesOf(counted(options.documents, counts)), heldOutShare);
  for await (const { side, cid, tokens, bytes } of shardsOf(pieces, tokenizer.tokenizer)) {
    await blocks.put(cid, bytes);
    lists[side].push({ cid, tokens });
  }
  if (lists.train.length === 0) throw new StarlingError("TEXT_EMPTY", `expected text in ${source}, got none`);
  const { vocabulary } = tokenizer.tokenizer;
  const labels = { source, licence, tokenizer: tokenizer.name, vocabulary, heldOutShare };
  const { record, bytes } = await signRecord({ v: 1, ...labels, ...counts, ...lists }, key);
  return { cid: await putBody(blocks, bytes), record };
}

async function* counted(
  parts: AsyncIterable<DocumentPart>,
  counts: { bytes: number; documents: number },
): AsyncGenerator<DocumentPart> {
  for await (const part of parts) {
    counts.bytes += part.bytes.length;
    counts.documents += part.endsDocument ? 1 : 0;
    yield part;
  }
}
