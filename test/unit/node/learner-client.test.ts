/** The learner's thread as the main thread sees it, when the thread fails. */
import { Worker } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import { type Cid, silentLog } from "../../../src/core/index.ts";
import {
  type LearnerClient,
  createLearnerClient,
  learnerClientOf,
} from "../../../src/node/learner/client.ts";

const OWNER = {
  log: silentLog,
  block: (cid: Cid) => Promise.reject(new Error(`nobody has ${cid}`)),
  diskFull: () => undefined,
};

/** A thread that fails as soon as it is spoken to. */
function failingThread(): LearnerClient {
  const code = `require("node:worker_threads").parentPort.on("message", () => { throw new Error("out of luck"); });`;
  return learnerClientOf(new Worker(code, { eval: true }), OWNER);
}

describe("the learner's client", () => {
  test("rejects what is under way when the thread fails, and says why", async () => {
    const client = failingThread();
    await expect(client.learner.keepSettled()).rejects.toThrow(/thread to run: out of luck/);
    await expect(client.failed).rejects.toMatchObject({ code: "LEARNER_STOPPED" });
  });

  test("stops without an error of its own after the thread has failed, so that the thread's is seen", async () => {
    const client = failingThread();
    client.learner.keepSettled().catch(() => undefined);
    // The error is heard before the thread has ended.
    await expect(client.failed).rejects.toThrow(/out of luck/);
    await client.stop();
    await client.stop();
  });

  test("stops a thread that has opened nothing, more than once", async () => {
    const client = createLearnerClient(OWNER);
    await client.stop();
    await client.stop();
  });
});
