/** The data that a manifest names: its records, its tokenizer, and the names of all shards. */
import { BLOCK_BYTES, type Cid, StarlingError, type Verdict } from "../../core/index.ts";
import { type BlockStore, readBody } from "../../storage/index.ts";
import {
  type ShardName,
  type ShardSource,
  TOKENIZER_BYTES_MAX,
  type Tokenizer,
  type Tokens,
  byteTokenizer,
  decodeShard,
  openTokenizer,
} from "../../trainer/index.ts";
import type { Manifest } from "../run/manifest.ts";
import { type DataRecord, RECORD_BYTES_MAX, type TokenizerName, openRecord } from "./record.ts";

/** Plain data, so that it can be sent to the learner's thread. */
export interface RunData {
  readonly records: readonly DataRecord[];
  /** A tokenizer.json; null: bytes. */
  readonly tokenizerFile: Uint8Array | null;
  readonly vocabulary: number;
  readonly train: readonly ShardName[];
  readonly heldOut: readonly ShardName[];
}

/** Where bodies come from: a disk, peers, a map. */
export type ReadBody = (cid: Cid, bytesMax: number) => Promise<Verdict<Uint8Array>>;

/** @throws StarlingError `DATA_INVALID` when what is read is not what a run can learn from; `TOKENIZER_INVALID` */
export async function readRunData(manifest: Manifest, read: ReadBody): Promise<RunData> {
  const body = async (cid: Cid, bytesMax: number, what: string): Promise<Uint8Array> => {
    const found = await read(cid, bytesMax);
    if (found.kind === "accept") return found.value;
    throw invalid(`${what} under ${cid}`, found.detail);
  };
  const name = manifest.tokenizer;
  const tokenizerFile = name === "bytes" ? null : await body(name, TOKENIZER_BYTES_MAX, "a tokenizer");
  const { vocabulary } = tokenizerOf(tokenizerFile);
  const records: DataRecord[] = [];
  for (const cid of manifest.data) {
    const opened = await openRecord(await body(cid, RECORD_BYTES_MAX, "a record of data"));
    if (opened.kind !== "accept") throw invalid(`a record of data under ${cid}`, opened.detail);
    checkTokenizer(cid, opened.value, { name, vocabulary });
    records.push(opened.value);
  }
  const least = Math.min(...manifest.phases.map(({ model }) => model.vocabSize));
  if (vocabulary > least) throw invalid(`models for ${vocabulary} tokens`, `vocabSize ${least}`);
  return {
    records,
    tokenizerFile,
    vocabulary,
    train: records.flatMap(({ train }) => train),
    heldOut: records.flatMap(({ heldOut }) => heldOut),
  };
}

function checkTokenizer(
  cid: Cid,
  record: DataRecord,
  run: { name: TokenizerName; vocabulary: number },
): void {
  if (record.tokenizer === run.name && record.vocabulary === run.vocabulary) return;
  const name = (o: { name: TokenizerName; vocabulary: number }): string => `${o.name} (${o.vocabulary})`;
  const got = name({ name: record.tokenizer, vocabulary: record.vocabulary });
  throw invalid(`data of the run's tokenizer ${name(run)} under ${cid}`, got);
}

/** The same from a node's own blocks. @throws StarlingError `DATA_INVALID` also for what is not there */
export function readStoredData(blocks: BlockStore, manifest: Manifest): Promise<RunData> {
  return readRunData(manifest, storedBodies(blocks));
}

/** Bodies from the disk alone. */
export function storedBodies(blocks: Pick<BlockStore, "get">): ReadBody {
  return (cid, bytesMax) => readBody((block) => blocks.get(block), cid, bytesMax);
}

export function tokenizerOf(file: Uint8Array | null): Tokenizer {
  return file === null ? byteTokenizer : openTokenizer(file);
}

/** Shards kept in memory. Guess: a round's and those that are measured on, 16 MiB. */
const SHARDS_CACHED = 16;

/** The shards of a run, out of blocks as `read` finds them; the last few are kept. */
export function createShardSource(
  { train, heldOut, vocabulary }: Pick<RunData, "train" | "heldOut" | "vocabulary">,
  read: ReadBody,
): ShardSource {
  const cached = new Map<Cid, Tokens>();
  return {
    train,
    heldOut,
    async read({ cid, tokens }) {
      const known = cached.get(cid);
      if (known !== undefined) return known;
      const block = await read(cid, BLOCK_BYTES);
      if (block.kind !== "accept") throw invalid(`shard ${cid}`, block.detail);
      const decoded = decodeShard(block.value, { tokens, vocabulary });
      if (decoded.kind !== "accept") throw invalid(`shard ${cid}`, decoded.detail);
      cached.set(cid, decoded.value);
      const [oldest] = cached.keys();
      if (cached.size > SHARDS_CACHED && oldest !== undefined) cached.delete(oldest);
      return decoded.value;
    },
  };
}

function invalid(expected: string, came: string): StarlingError {
  return new StarlingError(
    "DATA_INVALID",
    `expected ${expected}, got ${came}: the run's manifest names data that nobody can learn from`,
  );
}
