/** Tells a running node's user how it is reached, and whenever that changes: a router answers late, relays come and go. */
import type { Clock, Logger } from "../../core/index.ts";
import type { NodeStatus } from "../status.ts";
import { checkRunning } from "./network.ts";

/** Guess: soon enough for somebody who watches a node start, seldom enough to cost nothing. */
const LOOK_MS = 10_000;

/** Until the signal is aborted. */
export async function reportReach(
  status: () => NodeStatus,
  { clock, log, signal }: { clock: Clock; log: Logger; signal: AbortSignal },
): Promise<void> {
  let told = "";
  for (;;) {
    try {
      await clock.sleep(LOOK_MS, signal);
    } catch {
      // The node is stopping.
      return;
    }
    const nat = checkRunning(status()).find(({ name }) => name === "nat");
    if (nat === undefined || nat.found === told) continue;
    told = nat.found;
    log.info(`reach: ${nat.found}`, nat.fix === null ? {} : { fix: nat.fix });
  }
}
