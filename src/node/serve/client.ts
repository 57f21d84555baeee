/** The writing thread as the server's thread sees it: a `Writer`, kept at the newest model. */
import type { BirpcReturn } from "birpc";
import { type Clock, type Logger, type Service, StarlingError } from "../../core/index.ts";
import type { ServedModel, Writer } from "../../serving/index.ts";
import { type ThreadClient, startWorker, threadClient } from "../threads/client.ts";
import type { WriterOptions, WriterOwner, WriterThread } from "./protocol.ts";

/** Looking costs the names in one folder. Guess: nobody minds words of two seconds ago. */
const LOOK_MS = 2000;

export interface WriterClientOptions extends WriterOptions {
  /** What clients call the model; default: as its run or folder is called. */
  readonly name?: string;
}

export interface WriterDeps {
  readonly clock: Clock;
  readonly nowSeconds: () => number;
  readonly log: Logger;
}

export interface WriterClient extends Service, Writer {
  onModel(listener: (model: ServedModel) => void): void;
  /** Rejects when it cannot go on; never resolves. */
  readonly failed: Promise<never>;
}

/** `start` throws what opening the model's place and a first model in it throws. */
export function createWriter(
  options: WriterClientOptions,
  { clock, nowSeconds, log }: WriterDeps,
): WriterClient {
  const listeners = new Set<(model: ServedModel) => void>();
  const stopping = new AbortController();
  const failure = Promise.withResolvers<never>();
  // Nobody may be listening yet when it fails; whoever awaits it later still gets the error.
  failure.promise.catch(() => undefined);
  let model: ServedModel | undefined;
  let looking: Promise<void> = Promise.resolve();
  let client: ThreadClient<WriterThread, WriterOwner> | undefined;

  function thread(): BirpcReturn<WriterThread, WriterOwner> {
    if (client !== undefined) return client.remote;
    throw new StarlingError("WRITER_STOPPED", "expected the writing thread to run: it has not been started");
  }

  function startThread(): void {
    client = threadClient<WriterThread, WriterOwner>(startWorker(import.meta.url, "./thread"), {
      owner: { log: (level, message, context) => log[level](message, context) },
      stopped: (reason) =>
        new StarlingError("WRITER_STOPPED", `expected the writing thread to run: ${reason}`),
    });
    client.failed.catch((error: unknown) => {
      if (!stopping.signal.aborted) failure.reject(error as Error);
    });
  }

  async function look(): Promise<void> {
    const facts = await thread().refresh();
    if (facts === null) return;
    model = { ...facts, name: options.name ?? facts.name, createdSeconds: nowSeconds() };
    log.info("serving", { model: model.name, fingerprint: model.fingerprint });
    for (const listener of listeners) listener(model);
  }

  async function keepLooking(): Promise<void> {
    const { signal } = stopping;
    try {
      for (;;) {
        await clock.sleep(LOOK_MS, signal);
        await look();
      }
    } catch (error) {
      // Stopped; or the newest model cannot be served, which a person has to see to.
      if (!signal.aborted) failure.reject(error as Error);
    }
  }

  return {
    name: "writer",
    failed: failure.promise,
    async start() {
      const { place, threads, chatTemplate } = options;
      startThread();
      await thread().open({ place, threads, chatTemplate });
      await look();
      looking = keepLooking();
    },
    async stop() {
      if (client === undefined || client.remote.$closed) return;
      stopping.abort(new Error("the server is stopping"));
      await looking;
      // It ends by itself once it has nothing left to do: ending it inside a token would abort the process.
      await client.remote.close();
      await client.ended;
    },
    onModel: (listener) => void listeners.add(listener),
    model: () => model,
    begin: (request) => thread().begin(request),
    next: (text) => thread().next(text),
    end: (text) => thread().end(text),
  };
}
