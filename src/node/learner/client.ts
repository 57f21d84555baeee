/** The learner's thread as the main thread sees it. */
import { Worker } from "node:worker_threads";
import { type BirpcReturn, createBirpc } from "birpc";
import { type Logger, type Service, StarlingError, messageOf } from "../../core/index.ts";
import { deserialize, serialize } from "../threads/errors.ts";
import type { LearnerOwner, LearnerThread } from "./protocol.ts";

type Owner = { readonly log: Logger } & Pick<LearnerOwner, "block" | "diskFull">;

export interface LearnerClient extends Service {
  readonly learner: BirpcReturn<LearnerThread, LearnerOwner>;
  /** Rejects when the thread has failed; never resolves. */
  readonly failed: Promise<never>;
}

/** A thread that is running but has not opened anything yet. */
export function createLearnerClient(owner: Owner): LearnerClient {
  // The published build has .js files; everything else runs the sources.
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  return learnerClientOf(new Worker(new URL(`./thread.${extension}`, import.meta.url)), owner);
}

/** `worker`: has just been made. */
export function learnerClientOf(worker: Worker, { log, block, diskFull }: Owner): LearnerClient {
  const learner = createBirpc<LearnerThread, LearnerOwner>(
    { log: (level, message, context) => log[level](message, context), block, diskFull },
    {
      post: (message) => worker.postMessage(message),
      on: (listener) => worker.on("message", listener),
      serialize,
      deserialize,
      eventNames: ["hurry"],
      // A round takes as long as it takes; the thread's end is what ends a wait.
      timeout: -1,
    },
  );
  const failed = new Promise<never>((_, reject) => {
    const fail = (reason: string): void => {
      const error = new StarlingError("LEARNER_STOPPED", `expected the trainer's thread to run: ${reason}`);
      learner.$close(error);
      reject(error);
    };
    worker.on("error", (error) => fail(messageOf(error)));
    worker.on("exit", (code) => fail(`it ended with code ${code}`));
  });
  // Nobody may be listening yet when it fails; whoever awaits it later still gets the error.
  failed.catch(() => undefined);
  const ended = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
  return {
    name: "learner",
    learner,
    failed,
    start: () => Promise.resolve(),
    stop: async () => {
      // It ends by itself once it has nothing left to do: ending it inside a step would abort the process. One that has
      // failed is ending already and can't be asked; why it failed, `failed` says.
      if (!learner.$closed) await learner.close();
      await ended;
    },
  };
}
