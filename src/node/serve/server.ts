/** `starling serve`: a model's writer, the server before it, and the file that keeps what each key has used. */
import { readFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import {
  type Clock,
  type Logger,
  type Service,
  StarlingError,
  messageOf,
  pause,
  systemClock,
} from "../../core/index.ts";
import {
  type Serving,
  type ServingOptions,
  UsageBook,
  createServing,
  usageSchema,
} from "../../serving/index.ts";
import { writeFiles } from "../../storage/index.ts";
import { type WriterClient, type WriterClientOptions, createWriter } from "./client.ts";

/** How much of the counts a crash may cost. Guess. */
const SAVE_MS = 5000;

export interface ServeOptions {
  readonly writer: WriterClientOptions;
  readonly server: ServingOptions;
  /** Where the counts are kept over restarts; null: nowhere. */
  readonly usagePath: string | null;
}

export interface ModelServer {
  readonly serving: Serving;
  readonly writer: WriterClient;
  /** In the order in which they start. */
  readonly services: readonly Service[];
}

/** Nothing is started yet. @throws StarlingError `SERVE_NEEDS_KEYS`, `SERVE_KEYS_INVALID`, `USAGE_UNREADABLE` */
export async function createModelServer(
  { writer: writerOptions, server, usagePath }: ServeOptions,
  { log, clock = systemClock }: { log: Logger; clock?: Clock },
): Promise<ModelServer> {
  const usage = new UsageBook(usagePath === null ? {} : await readUsage(usagePath));
  const nowSeconds = (): number => Math.floor(new Date().getTime() / 1000);
  const writer = createWriter(writerOptions, { clock, nowSeconds, log });
  const serving = createServing(server, {
    writer,
    usage,
    nowSeconds,
    newId: () => crypto.randomUUID(),
    clock,
    log,
  });
  const saver = usagePath === null ? [] : [createSaver(usagePath, { usage, clock, log })];
  return { serving, writer, services: [...saver, writer, serving] };
}

async function readUsage(path: string): Promise<ReturnType<UsageBook["all"]>> {
  try {
    return usageSchema.parse(JSON.parse(await readFile(path, "utf8")));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    // Translated: counts that somebody may be billed by are not begun again without a word.
    throw new StarlingError(
      "USAGE_UNREADABLE",
      `expected counts by key in ${path}: ${messageOf(error)}; put back a copy, or move it away to count from nothing`,
      { cause: error },
    );
  }
}

function createSaver(
  path: string,
  { usage, clock, log }: { usage: UsageBook; clock: Clock; log: Logger },
): Service {
  const stopping = new AbortController();
  let saved = usage.version;
  let saving: Promise<void> = Promise.resolve();

  async function save(): Promise<void> {
    const { version } = usage;
    if (version === saved) return;
    const text = `${JSON.stringify(usage.all(), null, 2)}\n`;
    try {
      await writeFiles(dirname(path), new Map([[basename(path), Buffer.from(text)]]));
      saved = version;
    } catch (error) {
      // Tried again with the next counts; nobody's text waits for it.
      log.warn("the counts by key could not be saved", { path, error: messageOf(error) });
    }
  }

  async function keepSaving(): Promise<void> {
    const { signal } = stopping;
    while (await pause(clock, SAVE_MS, signal)) await save();
    await save();
  }

  return {
    name: "usage",
    start: () => {
      saving = keepSaving();
      return Promise.resolve();
    },
    stop: () => {
      stopping.abort(new Error("the server is stopping"));
      return saving;
    },
  };
}
