/** `starling generate`: what a model writes, as it comes; from a folder with a model, or from the node that runs. */
import { type GenerateOptions, connectControl, generateFromFolder } from "../../node/index.ts";
import { UsageError } from "../failure.ts";
import { onStopSignal } from "../signals.ts";
import { waitingFor } from "../waiting.ts";

export interface GenerateArguments {
  readonly data: string;
  readonly model?: string;
  readonly prompt: string;
  readonly tokens: number;
  readonly temperature: number;
  readonly topP: number;
  readonly seed?: number;
  readonly threads: number;
}

export async function generateText(given: GenerateArguments): Promise<void> {
  const { data, model, prompt, tokens: tokensMax, temperature, topP, seed, threads } = given;
  // Without a seed each call writes something else.
  const options = { prompt, tokensMax, temperature, topP, seed: String(seed ?? crypto.randomUUID()) };
  const parts =
    model === undefined ? await fromNode(data, options) : generateFromFolder(model, options, { threads });
  let isWanted = true;
  using _signals = onStopSignal(() => (isWanted = false));
  let part = await waitingFor("reading the model", parts.next());
  process.stdout.write(prompt);
  for (; part.done !== true; part = await parts.next()) {
    process.stdout.write(part.value);
    if (!isWanted) break;
  }
  await parts.return(undefined);
  process.stdout.write("\n");
}

async function fromNode(data: string, options: GenerateOptions): Promise<AsyncGenerator<string>> {
  const daemon = await connectControl(data);
  if (daemon !== undefined) return daemon.generate(options);
  throw new UsageError(
    `expected a node that runs on ${data}, found none; name a folder with a model by --model, such as \`starling export\` writes`,
  );
}
