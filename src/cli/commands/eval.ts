/** `starling eval`: how well a model in a folder predicts a text. */
import { evaluateFolder } from "../../node/index.ts";
import { bytes, count } from "../format.ts";
import { withFileProgress } from "../progress-bar.ts";

export interface EvalArguments {
  readonly model: string;
  readonly text: string;
  readonly field: string;
  readonly threads: number;
  readonly json: boolean;
}

export async function evaluate({ model, text, field, threads, json }: EvalArguments): Promise<void> {
  const found = await withFileProgress("reading", (onProgress) =>
    evaluateFolder(model, { textPath: text, field, threads, onProgress }),
  );
  if (json) return void process.stdout.write(`${JSON.stringify(found)}\n`);
  process.stdout.write(
    `loss         ${found.natsPerToken.toFixed(4)} nats per token, ${found.bitsPerByte.toFixed(4)} bits per byte\n` +
      `text         ${bytes(found.bytes)}, ${count(found.tokens)} tokens, of it ${count(found.tokensPredicted)} predicted\n`,
  );
}
