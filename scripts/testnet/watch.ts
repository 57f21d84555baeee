/** Follows the nodes of a testnet until all that live have finished. */
import { type Clock, StarlingError } from "../../src/core/index.ts";
import type { LiveView } from "../../src/cli/index.ts";
import { type Daemon, assertRunning, isAlive, refresh } from "./daemon.ts";

const POLL_MS = 500;
/** Guess: a round of the largest preset on a busy machine takes a tenth of it. */
const STALL_MS = 5 * 60_000;

export interface WatchOptions {
  readonly daemons: readonly Daemon[];
  readonly view: LiveView;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Called after each look at the nodes. */
  readonly onLook: () => Promise<void>;
}

/** Throws `TESTNET_NODE_DIED` or, when nothing moves for five minutes, `TESTNET_STALLED`. */
export async function watchUntilFinished(options: WatchOptions): Promise<void> {
  const { daemons, view, clock, signal, onLook } = options;
  let progress = "";
  let movedMs = clock.nowMs();
  while (true) {
    await Promise.all(daemons.map(refresh));
    signal.throwIfAborted();
    for (const daemon of daemons) await assertRunning(daemon);
    show(daemons, view);
    const live = daemons.filter(isAlive);
    if (live.every(({ status }) => status?.state === "finished")) return;
    const now = progressOf(live);
    if (now !== progress) movedMs = clock.nowMs();
    else if (clock.nowMs() - movedMs > STALL_MS) throw stalled(live);
    progress = now;
    await onLook();
    await clock.sleep(POLL_MS, signal);
  }
}

function show(daemons: readonly Daemon[], view: LiveView): void {
  view.show(daemons.map((daemon) => ({ name: daemon.name, alive: isAlive(daemon), status: daemon.status })));
}

/** Changes whenever a node gets anywhere. */
function progressOf(daemons: readonly Daemon[]): string {
  return daemons
    .map(({ status }) =>
      [status?.state, status?.phase, status?.round, status?.settled?.round, status?.lossNats].join(),
    )
    .join(" ");
}

function stalled(daemons: readonly Daemon[]): StarlingError {
  const states = daemons.map(
    ({ name, status }) => `${name} ${status?.state ?? "silent"} in round ${status?.round}`,
  );
  return new StarlingError(
    "TESTNET_STALLED",
    `nothing moved for ${STALL_MS / 60_000} minutes: ${states.join(", ")}; see the daemon.log of each node`,
  );
}
