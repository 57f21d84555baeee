/** Looking for runs without a node: from the nodes that somebody was told of. */
import { type Logger, StarlingError, systemClock } from "../../core/index.ts";
import { createScout } from "../../gossip/index.ts";
import type { RunListing } from "./listing.ts";
import { lookForRuns } from "./look.ts";

export interface ScoutingOptions {
  /** Multiaddrs of nodes, of any run. */
  readonly bootstrap: readonly string[];
  /** Follow private and loopback addresses too. */
  readonly localAddresses: boolean;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** @throws StarlingError `RUNS_NO_ENTRY`, `BOOTSTRAP_INVALID` */
export async function findRuns({
  bootstrap,
  localAddresses,
  log,
  signal,
}: ScoutingOptions): Promise<RunListing[]> {
  if (bootstrap.length === 0) {
    throw new StarlingError(
      "RUNS_NO_ENTRY",
      "expected a node to begin at, got none: name one of any run with --bootstrap, give a run's address, or start a node here",
    );
  }
  const scout = await createScout({ bootstrap, localAddresses }, { clock: systemClock, log });
  try {
    await scout.start();
    return await lookForRuns({ lookout: scout, log, signal });
  } finally {
    await scout.stop();
  }
}
