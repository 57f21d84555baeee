/** Folds over all rounds (credits, ledger, verify) need a history from its start, which a folder that joined late has not. */
import { access } from "node:fs/promises";
import { join } from "node:path";
import { StarlingError } from "../../core/index.ts";

/** The settled state that a folder joined its run at, as JSON. */
export const JOINED_FILE = "joined.json";

/** `firstRound`: of the headers in the folder. @throws StarlingError `HISTORY_PARTIAL` when it joined after round 0 */
export async function checkWhole(dataDir: string, firstRound: number): Promise<void> {
  if (firstRound === 0) return;
  const hasJoined = await access(join(dataDir, JOINED_FILE)).then(
    () => true,
    () => false,
  );
  if (hasJoined) throw partialHistory(firstRound);
}

export function partialHistory(firstRound: number): StarlingError {
  return new StarlingError(
    "HISTORY_PARTIAL",
    `expected all rounds, but this node joined at a settled state and has them from round ${firstRound} on; ask a node ` +
      "that has been there from the start",
  );
}
