/** The learner's thread as the main thread sees it. */
import type { Worker } from "node:worker_threads";
import type { BirpcReturn } from "birpc";
import { type Logger, type Service, StarlingError } from "../../core/index.ts";
import { startWorker, threadClient } from "../threads/client.ts";
import type { LearnerOwner, LearnerThread } from "./protocol.ts";

type Owner = { readonly log: Logger } & Pick<LearnerOwner, "block" | "diskFull">;

export interface LearnerClient extends Service {
  readonly learner: BirpcReturn<LearnerThread, LearnerOwner>;
  /** Rejects when the thread has failed; never resolves. */
  readonly failed: Promise<never>;
}

/** A thread that is running but has not opened anything yet. */
export function createLearnerClient(owner: Owner): LearnerClient {
  return learnerClientOf(startWorker(import.meta.url, "./thread"), owner);
}

/** `worker`: has just been made. */
export function learnerClientOf(worker: Worker, { log, block, diskFull }: Owner): LearnerClient {
  const { remote, failed, ended } = threadClient<LearnerThread, LearnerOwner>(worker, {
    owner: { log: (level, message, context) => log[level](message, context), block, diskFull },
    eventNames: ["hurry"],
    stopped: (reason) =>
      new StarlingError("LEARNER_STOPPED", `expected the trainer's thread to run: ${reason}`),
  });
  return {
    name: "learner",
    learner: remote,
    failed,
    start: () => Promise.resolve(),
    stop: async () => {
      // It ends by itself once it has nothing left to do: ending it inside a step would abort the process. One that has
      // failed is ending already and can't be asked; why it failed, `failed` says.
      if (!remote.$closed) await remote.close();
      await ended;
    },
  };
}
