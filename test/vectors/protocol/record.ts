/** record.json: what a run learns from, signed by who cut it. */
import { RAW, cidOf } from "../../../src/core/index.ts";
import { type UnsignedRecord, signRecord } from "../../../src/node/data/record.ts";
import { bodyCid } from "../../../src/storage/index.ts";
import { hex, keyOf } from "./support.ts";

export interface RecordVector {
  /** `cid` of shards as text here, links in the bytes. */
  fields: UnsignedRecord;
  /** The 32 bytes of the author's private key, hex. */
  secret: string;
  /** Hex. */
  bytes: string;
  cid: string;
}

export async function recordVectors(): Promise<RecordVector[]> {
  const { key, peer: author, secret } = await keyOf("ada");
  const shard = (text: string): UnsignedRecord["train"][number] => {
    const bytes = new TextEncoder().encode(text);
    return { cid: cidOf(bytes, RAW), tokens: bytes.length };
  };
  const fields: Omit<UnsignedRecord, "author"> = {
    v: 1,
    source: "Hamlet",
    licence: "public domain",
    tokenizer: "bytes",
    vocabulary: 256,
    heldOutShare: 0.25,
    bytes: 43,
    documents: 1,
    train: [shard("To be, or not to be, "), shard("is the ")],
    heldOut: [shard("that question: ")],
  };
  const { bytes } = await signRecord(fields, key);
  return [{ fields: { ...fields, author }, secret, bytes: hex(bytes), cid: bodyCid(bytes) }];
}
