/** What a terminal shows while something takes longer than a moment and nobody knows how long: how long it has taken. */
import { createLogUpdate } from "log-update";
import { systemClock } from "../core/index.ts";

/** Until then nothing is shown. */
const PATIENCE_MS = 2_000;
const REDRAW_MS = 1_000;

/** The work's own answer. `what`: such as `writing the model`. */
export async function waitingFor<T>(what: string, work: Promise<T>): Promise<T> {
  const ended = new AbortController();
  const shown = process.stderr.isTTY ? show(what, ended.signal) : Promise.resolve();
  try {
    return await work;
  } finally {
    ended.abort();
    await shown;
  }
}

async function show(what: string, signal: AbortSignal): Promise<void> {
  const line = createLogUpdate(process.stderr);
  const startedMs = systemClock.nowMs();
  for (let waitMs = PATIENCE_MS; await passed(waitMs, signal); waitMs = REDRAW_MS)
    line(`${what}: ${Math.round((systemClock.nowMs() - startedMs) / 1000)} s`);
  line.clear();
  line.done();
}

/** False when the signal was aborted first. */
function passed(ms: number, signal: AbortSignal): Promise<boolean> {
  return systemClock.sleep(ms, signal).then(
    () => true,
    () => false,
  );
}
