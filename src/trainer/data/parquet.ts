/** Parquet: one document a row, its text in one column; read a batch of rows at a time. */
import { type AsyncBuffer, parquetMetadataAsync, parquetScan, parquetSchema } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { StarlingError, messageOf } from "../../core/index.ts";
import type { DocumentPart } from "./pieces.ts";

/** A file of which any part can be read. */
export interface RandomAccess {
  readonly byteLength: number;
  slice(start: number, end?: number): Promise<ArrayBuffer>;
}

/** Rows decoded at once; a file with page indexes is read by pages, others by row groups. Guess. */
const ROWS_MAX = 1000;

/** Empty cells are no documents. @throws StarlingError `DATA_INVALID` */
export async function* parquetRows(o: {
  name: string;
  file: RandomAccess;
  field: string;
}): AsyncGenerator<DocumentPart> {
  const { name, field } = o;
  const file: AsyncBuffer = o.file;
  const metadata = await translated(name, () => parquetMetadataAsync(file));
  const columns = parquetSchema(metadata).children.map(({ element }) => element.name);
  if (!columns.includes(field)) {
    throw invalid(name, `a column ${JSON.stringify(field)} (or another with --field)`, columns.join(", "));
  }
  const scan = await translated(name, () => parquetScan({ file, metadata, columns: [field], compressors }));
  for (const range of scan.ranges) {
    for (let rowStart = range.rowStart; rowStart < range.rowEnd; rowStart += ROWS_MAX) {
      const rowEnd = Math.min(range.rowEnd, rowStart + ROWS_MAX);
      const rows = await translated(name, () => scan.readColumn({ column: field, rowStart, rowEnd }));
      for (const [i, value] of Array.from(rows as ArrayLike<unknown>).entries()) {
        if (value === null || value === undefined || value === "") continue;
        if (typeof value !== "string")
          throw invalid(name, `text in the column ${field}`, `${typeof value} in row ${rowStart + i}`);
        yield { bytes: new TextEncoder().encode(value), endsDocument: true };
      }
    }
  }
}

async function translated<T>(name: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    // Translated: says which file it was.
    throw invalid(name, "a Parquet file", messageOf(error));
  }
}

function invalid(name: string, expected: string, came: string): StarlingError {
  return new StarlingError("DATA_INVALID", `${name}: expected ${expected}, got ${came}`);
}
