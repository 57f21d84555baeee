/** `starling tokenizer train`: makes a tokenizer.json from a text. */
import { writeFile } from "node:fs/promises";
import { trainTokenizerOn } from "../../node/index.ts";
import { withTokenizerProgress } from "../progress-bar.ts";

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
  const file = await withTokenizerProgress((show) =>
    trainTokenizerOn({ textPath: text, vocabulary, field, ...show }),
  );
  await writeFile(out, file);
  process.stdout.write(`${out}\n`);
}
