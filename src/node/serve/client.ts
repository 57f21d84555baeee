/** The writing thread as the server's thread sees it: a `Writer`, kept at the newest model. */
import { Worker } from "node:worker_threads";
import { type BirpcReturn, createBirpc } from "birpc";
import { type Clock, type Logger, type Service, StarlingError, messageOf } from "../../core/index.ts";
import type { ServedModel, Writer } from "../../serving/index.ts";
import { deserialize, serialize } from "../threads/errors.ts";
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
  // The published build has .js files; everything else runs the sources.
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const listeners = new Set<(model: ServedModel) => void>();
  const stopping = new AbortController();
  const failure = Promise.withResolvers<never>();
  // Nobody may be listening yet when it fails; whoever awaits it later still gets the error.
  failure.promise.catch(() => undefined);
  let model: ServedModel | undefined;
  let looking: Promise<void> = Promise.resolve();
  let worker: Worker | undefined;
  let remote: BirpcReturn<WriterThread, WriterOwner> | undefined;

  function thread(): BirpcReturn<WriterThread, WriterOwner> {
    if (remote !== undefined) return remote;
    throw new StarlingError("WRITER_STOPPED", "expected the writing thread to run: it has not been started");
  }

  function startThread(): void {
    const started = new Worker(new URL(`./thread.${extension}`, import.meta.url));
    const made = createBirpc<WriterThread, WriterOwner>(
      { log: (level, message, context) => log[level](message, context) },
      {
        post: (message) => started.postMessage(message),
        on: (listener) => started.on("message", listener),
        serialize,
        deserialize,
        // A long prompt takes as long as it takes; the thread's end is what ends a wait.
        timeout: -1,
      },
    );
    const fail = (reason: string): void => {
      const error = new StarlingError("WRITER_STOPPED", `expected the writing thread to run: ${reason}`);
      made.$close(error);
      failure.reject(error);
    };
    started.on("error", (error) => fail(messageOf(error)));
    started.on("exit", (code) => {
      if (!stopping.signal.aborted) fail(`it ended with code ${code}`);
    });
    [worker, remote] = [started, made];
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
      if (worker === undefined || worker.threadId === -1) return;
      stopping.abort(new Error("the server is stopping"));
      await looking;
      const ended = new Promise<void>((resolve) => worker?.once("exit", () => resolve()));
      // It ends by itself once it has nothing left to do: ending it inside a token would abort the process.
      await thread().close();
      await ended;
    },
    onModel: (listener) => void listeners.add(listener),
    model: () => model,
    begin: (request) => thread().begin(request),
    next: (text) => thread().next(text),
    end: (text) => thread().end(text),
  };
}
