/** Documents that a program hands over instead of a path: read one by one, the next when the last has been cut. */
import type { DocumentPart } from "../../trainer/index.ts";

/** One string each; an endless one is cut until the disk is full. */
export type Documents = AsyncIterable<string> | readonly string[];

export async function* partsOf(documents: Documents): AsyncGenerator<DocumentPart> {
  const encoder = new TextEncoder();
  for await (const text of documents) yield { bytes: encoder.encode(text), endsDocument: true };
}
