/** A settled state that was pulled becomes the learner's, and a checkpoint that others may have from us. */
import { type Base, recordOfAccounts } from "../../consensus/index.ts";
import type { RunId } from "../../core/index.ts";
import { type BlockStore, type ServedCheckpoints, bodyBlocks } from "../../storage/index.ts";
import type { LearnerClient } from "../learner/client.ts";
import type { PulledBase } from "./pull-base.ts";

export interface TakeBaseDeps {
  readonly run: RunId;
  readonly learner: LearnerClient["learner"];
  readonly served: ServedCheckpoints;
  readonly blocks: BlockStore;
}

/** Undefined: a block of it is damaged on our disk, and comes anew the next time. */
export async function takeBase(
  { record, bytes }: PulledBase,
  { run, learner, served, blocks }: TakeBaseDeps,
): Promise<Base | undefined> {
  const { base, phase, weights } = record;
  const { round, root, weightsRoot, accounts } = base;
  const meta = { run, phase, round, root, weightsRoot, accounts: recordOfAccounts(accounts) };
  const isWhole = await learner.startFrom(meta, bytes, weights);
  await served.refresh();
  if (!isWhole) return undefined;
  // As a checkpoint it is on the disk once.
  for (const block of await bodyBlocks(blocks, weights)) await blocks.delete(block);
  return base;
}
