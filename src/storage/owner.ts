/** Whose a data folder is, read without taking it: for commands that work beside a running node. */
import { join } from "node:path";
import type { PrivateKey } from "@libp2p/interface";
import { peerIdFromPrivateKey } from "@libp2p/peer-id";
import type { PeerId, RunId } from "../core/index.ts";
import { readKey } from "./key.ts";
import { checkFormat, readRun } from "./labels.ts";

export interface Owner {
  readonly key: PrivateKey;
  readonly peerId: PeerId;
  readonly run: RunId;
}

/**
 * Makes nothing: undefined when the folder is no data folder yet, or belongs to no run.
 * Throws `DATA_DIR_NEWER`, `DATA_DIR_DAMAGED`, `KEY_INVALID`, `DISK_READ_FAILED`.
 */
export async function readOwner(dir: string): Promise<Owner | undefined> {
  if (!(await checkFormat(dir))) return undefined;
  const key = await readKey(join(dir, "key"));
  const run = await readRun(dir);
  if (key === undefined || run === undefined) return undefined;
  return { key, peerId: peerIdFromPrivateKey(key).toString() as PeerId, run };
}
