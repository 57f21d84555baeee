/** A worker thread as its owner sees it: what may be asked of it, and how it ends. */
import { Worker } from "node:worker_threads";
import { type BirpcReturn, createBirpc } from "birpc";
import { type StarlingError, messageOf } from "../../core/index.ts";
import { deserialize, serialize } from "./errors.ts";

export interface ThreadClient<Thread extends object, Owner extends object> {
  readonly remote: BirpcReturn<Thread, Owner>;
  /** Rejects when the thread has failed or ended; never resolves. */
  readonly failed: Promise<never>;
  /** Resolves when the thread has gone. */
  readonly ended: Promise<void>;
}

export interface ThreadClientOptions<Owner> {
  /** What the thread may ask its owner. */
  readonly owner: Owner;
  /** What may be asked without an answer. */
  readonly eventNames?: readonly string[];
  /** Why there are no more answers. */
  readonly stopped: (reason: string) => StarlingError;
}

/** `path`: of its source beside the asking module, without the ending: the published build has .js files. */
export function startWorker(moduleUrl: string, path: string): Worker {
  return new Worker(new URL(`${path}.${moduleUrl.endsWith(".ts") ? "ts" : "js"}`, moduleUrl));
}

/** `worker`: has just been made. */
export function threadClient<Thread extends object, Owner extends object>(
  worker: Worker,
  { owner, eventNames = [], stopped }: ThreadClientOptions<Owner>,
): ThreadClient<Thread, Owner> {
  const remote = createBirpc<Thread, Owner>(owner, {
    post: (message) => worker.postMessage(message),
    on: (listener) => worker.on("message", listener),
    serialize,
    deserialize,
    eventNames: eventNames as never[],
    // What a thread does takes as long as it takes; the thread's end is what ends a wait.
    timeout: -1,
  });
  const failed = new Promise<never>((_, reject) => {
    const fail = (reason: string): void => {
      const error = stopped(reason);
      remote.$close(error);
      reject(error);
    };
    worker.on("error", (error) => fail(messageOf(error)));
    worker.on("exit", (code) => fail(`it ended with code ${code}`));
  });
  // Nobody may be listening yet when it fails; whoever awaits it later still gets the error.
  failed.catch(() => undefined);
  const ended = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
  return { remote, failed, ended };
}
