/**
 * Files' bytes -> documents, streamed: a text file is one, a JSONL file has one in each line, a Parquet file one in each
 * row. What a file is, its name says; `.gz` and `.zst` behind it are undone by whoever opens it.
 */
import { StarlingError } from "../../core/index.ts";
import { jsonLines } from "./jsonl.ts";
import { type RandomAccess, parquetRows } from "./parquet.ts";
import type { DocumentPart } from "./pieces.ts";

/** A file that somebody has opened. */
export interface DataFile {
  readonly name: string;
  /** Its content, unpacked. */
  stream(): AsyncIterable<Uint8Array>;
  /** For formats that are read from their end; absent when it is packed. */
  readonly random?: RandomAccess;
}

/**
 * `field`: the field of a JSONL line, or the column of a Parquet file, that holds the text.
 * @throws StarlingError `DATA_INVALID`
 */
export function documentsOf(file: DataFile, field: string): AsyncIterable<DocumentPart> {
  switch (formatOf(file.name)) {
    case "jsonl":
      return jsonLines(file, field);
    case "parquet":
      if (file.random !== undefined) return parquetRows({ name: file.name, file: file.random, field });
      throw new StarlingError(
        "DATA_INVALID",
        `expected ${file.name} unpacked: Parquet is compressed inside, and is read from its end`,
      );
    case "text":
      return wholeText(file.stream());
  }
}

function formatOf(name: string): "jsonl" | "parquet" | "text" {
  const plain = name.toLowerCase().replace(/\.(gz|zst)$/, "");
  if (/\.(jsonl|ndjson)$/.test(plain)) return "jsonl";
  return plain.endsWith(".parquet") ? "parquet" : "text";
}

async function* wholeText(stream: AsyncIterable<Uint8Array>): AsyncGenerator<DocumentPart> {
  for await (const bytes of stream) yield { bytes, endsDocument: false };
  yield { bytes: new Uint8Array(0), endsDocument: true };
}
