/** `starling data add` and `starling init --text`: a path, or what a program hands over, is cut into shards in a data folder. */
import { basename, resolve } from "node:path";
import type { Cid, Logger } from "../../core/index.ts";
import { type Store, openStore, putBody } from "../../storage/index.ts";
import { cutData } from "./cut.ts";
import { type FileProgress, documentsAt } from "./files.ts";
import { type Documents, partsOf } from "./given-documents.ts";
import type { DataRecord } from "./record.ts";
import { tokenizerOf } from "./run-data.ts";

export interface AddOptions {
  /** A file, or a folder whose files are taken in the order of their names; or documents as they come. */
  readonly text: string | Documents;
  /** A tokenizer.json; null: bytes. */
  readonly tokenizerFile: Uint8Array | null;
  /** Default: the name of the file or folder, or "documents". */
  readonly source?: string;
  readonly licence?: string;
  readonly heldOutShare?: number;
  /** Where JSONL and Parquet have their text. */
  readonly field?: string;
  readonly onProgress?: (progress: FileProgress) => void;
}

/** Guess, as many do. */
const HELD_OUT_SHARE = 0.1;
/** The name that most published data sets use. */
export const TEXT_FIELD = "text";

/** The same in a folder that no node uses. */
export async function addToFolder(
  dataDir: string,
  options: AddOptions,
  { log }: { log: Logger },
): Promise<{ cid: Cid; record: DataRecord }> {
  const store = await openStore(dataDir, { log });
  try {
    return await addData(store, options);
  } finally {
    await store.close();
  }
}

/** The CID is that of the signed record, which manifests name. @throws what `cutData` does */
export async function addData(store: Store, options: AddOptions): Promise<{ cid: Cid; record: DataRecord }> {
  const { text, tokenizerFile, field = TEXT_FIELD, onProgress } = options;
  const name = tokenizerFile === null ? "bytes" : await putBody(store.blocks, tokenizerFile);
  return cutData(
    {
      documents: typeof text === "string" ? documentsAt(text, { field, onProgress }) : partsOf(text),
      tokenizer: { name, tokenizer: tokenizerOf(tokenizerFile) },
      source: options.source ?? (typeof text === "string" ? basename(resolve(text)) : "documents"),
      licence: options.licence ?? "unknown",
      heldOutShare: options.heldOutShare ?? HELD_OUT_SHARE,
    },
    store,
  );
}
