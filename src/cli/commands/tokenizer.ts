/** `starling tokenizer train`: makes a tokenizer.json from a text. */
import { writeFile } from "node:fs/promises";
import { trainTokenizerOn } from "../../node/index.ts";
import { createFileProgress } from "../progress-bar.ts";

export interface TokenizerTrainArguments {
  readonly text: string;
  readonly vocabulary: number;
  readonly out: string;
  readonly field: string;
}

export async function trainTokenizer({
  text,
  vocabulary,
  out,
  field,
}: TokenizerTrainArguments): Promise<void> {
  using progress = createFileProgress("counting words");
  const file = await trainTokenizerOn({ textPath: text, vocabulary, field, onProgress: progress.show });
  await writeFile(out, file);
  process.stdout.write(`${out}\n`);
}
