/**
 * One trial of one engine, in a process of its own: a driver that crashes takes only this process with it. The parent
 * sends the options; the answer is the trial, or why there is none.
 */
import { messageOf, systemClock } from "../../core/index.ts";
import { type EngineOptions, type TrialResult, tryEngine } from "../../trainer/index.ts";

process.once("message", (options: EngineOptions) => {
  void run(options).then((result) => process.send?.(result, () => process.disconnect()));
});

async function run(options: EngineOptions): Promise<TrialResult> {
  try {
    return await tryEngine(options, systemClock);
  } catch (error) {
    // Whatever it is, the engine is out and the parent says why.
    return { engine: options.engine, failure: messageOf(error).split("\n")[0] ?? "" };
  }
}
