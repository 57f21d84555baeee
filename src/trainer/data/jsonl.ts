/** JSON Lines: one object a line, its text in one field. */
import { StarlingError, messageOf } from "../../core/index.ts";
import type { DocumentPart } from "./pieces.ts";

/** One document is in memory at a time. Guess: longer than any book. */
const LINE_BYTES_MAX = 64 * 1024 * 1024;
const NEWLINE = 0x0a;

/** @throws StarlingError `DATA_INVALID` with the line's number */
export async function* jsonLines(
  { name, stream }: { name: string; stream: () => AsyncIterable<Uint8Array> },
  field: string,
): AsyncGenerator<DocumentPart> {
  let number = 0;
  for await (const line of linesOf(stream(), name)) {
    number += 1;
    if (line.trim() === "") continue;
    const bytes = new TextEncoder().encode(textOf(line, field, `${name}, line ${number}`));
    yield { bytes, endsDocument: true };
  }
}

async function* linesOf(stream: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<string> {
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  const take = (): string => {
    const line = Buffer.concat(held).toString("utf8");
    held = [];
    heldBytes = 0;
    return line;
  };
  for await (const chunk of stream) {
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, from)) {
      held.push(chunk.subarray(from, at));
      from = at + 1;
      yield take();
    }
    held.push(chunk.subarray(from));
    heldBytes += chunk.length - from;
    if (heldBytes > LINE_BYTES_MAX)
      throw invalid(name, `lines of at most ${LINE_BYTES_MAX} bytes`, "a longer one");
  }
  yield take();
}

function textOf(line: string, field: string, where: string): string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    // Translated: says which line it was.
    throw invalid(where, "a JSON object", messageOf(error));
  }
  const text =
    typeof value === "object" && value !== null ? (value as Record<string, unknown>)[field] : undefined;
  if (typeof text === "string") return text;
  const fields = Object.keys(typeof value === "object" && value !== null ? value : {}).slice(0, 20);
  throw invalid(where, `a text in the field ${JSON.stringify(field)}`, `the fields ${fields.join(", ")}`);
}

function invalid(where: string, expected: string, came: string): StarlingError {
  return new StarlingError(
    "DATA_INVALID",
    `${where}: expected ${expected}, got ${came}; name another with --field`,
  );
}
