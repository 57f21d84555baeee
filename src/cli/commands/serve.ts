/** `starling serve`: OpenAI's interface before the settled model, in the foreground. */
import { readFile } from "node:fs/promises";
import { constants, setPriority } from "node:os";
import { join } from "node:path";
import { messageOf, startAll, stopAll } from "../../core/index.ts";
import { type ApiKey, type LogLevel, createLog, createModelServer, parseKeys } from "../../node/index.ts";
import type { ListenAddress } from "../arguments.ts";
import { assertDataExists } from "../data-folder.ts";
import { UsageError } from "../failure.ts";
import { outliveReader } from "../outlive-reader.ts";
import { onStopSignal } from "../signals.ts";
import { waitingFor } from "../waiting.ts";

export interface ServeArguments {
  readonly data: string;
  readonly model?: string;
  readonly name?: string;
  readonly listen: ListenAddress;
  readonly keys?: string;
  readonly key: string[];
  readonly atOnce: number;
  readonly queue: number;
  readonly chatTemplate?: string;
  readonly usage?: string;
  readonly threads: number;
  readonly priority: "low" | "normal";
  readonly logLevel: LogLevel;
}

/** In a node's folder. */
const USAGE_FILE = "serving-usage.json";

export async function serve(given: ServeArguments): Promise<void> {
  const { data, model, name, listen, atOnce, queue, chatTemplate, threads, priority, logLevel } = given;
  const stopping = Promise.withResolvers<void>();
  using _signals = onStopSignal(() => stopping.resolve());
  outliveReader();
  if (model === undefined) await assertDataExists(data);
  const log = createLog({ level: logLevel });
  // Threads that are started later, the writing one among them, inherit it; training has below-normal.
  if (priority === "low") setPriority(constants.priority.PRIORITY_LOW);
  const { serving, writer, services } = await createModelServer(
    {
      writer: {
        place: model === undefined ? { kind: "data", dir: data } : { kind: "model", dir: model },
        threads,
        chatTemplate: chatTemplate === undefined ? null : await readOption("chat-template", chatTemplate),
        ...(name !== undefined && { name }),
      },
      server: { ...listen, keys: await keysOf(given), atOnce, queueMax: queue },
      usagePath: given.usage ?? (model === undefined ? join(data, USAGE_FILE) : null),
    },
    { log },
  );
  writer.onModel(({ name: served, fingerprint }) => {
    process.stdout.write(`model ${served} (${fingerprint})\n`);
  });
  try {
    await waitingFor("reading the model", Promise.race([startAll(services), stopping.promise]));
    const url = serving.url();
    if (url !== null) process.stdout.write(`serving ${url}\n`);
    if (writer.model() === undefined) process.stderr.write("no settled model yet: waiting for the first\n");
    await Promise.race([writer.failed, stopping.promise]);
  } finally {
    await stopAll(services);
  }
}

async function keysOf({ keys, key }: ServeArguments): Promise<ApiKey[]> {
  const named = key.map((each, i) => ({ name: `key-${i + 1}`, key: each }));
  return keys === undefined ? named : [...parseKeys(await readOption("keys", keys), keys), ...named];
}

async function readOption(option: string, path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    // Translated: says which option to look at.
    throw new UsageError(`option '--${option}': expected a file that can be read: ${messageOf(error)}`);
  }
}
