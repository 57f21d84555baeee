/**
 * The data folder in which a node goes on with a successor of its run: the same key, the manifest, the weights that it starts
 * from, and what is here of its data. The old folder stays as it is.
 */
import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Cid, Logger } from "../../core/index.ts";
import { type BlockStore, type Store, getBody, openStore, putBody } from "../../storage/index.ts";
import { TOKENIZER_BYTES_MAX, parametersCount } from "../../trainer/index.ts";
import { RECORD_BYTES_MAX, openRecord } from "../data/record.ts";
import { type Manifest, encodeManifest, phaseOf, runIdOf } from "../run/manifest.ts";
import { networkKeyPath } from "../keys/network-key.ts";

/** Its name in the folder of the run that is left. */
const SUCCESSOR = "successor";

/** The folder's path. @throws StarlingError the storage room's */
export async function makeSuccessorFolder(store: Store, manifest: Manifest, log: Logger): Promise<string> {
  const dir = join(store.dir, SUCCESSOR);
  await mkdir(dir, { recursive: true });
  await copyFile(join(store.dir, "key"), join(dir, "key"));
  if (manifest.admission?.networkKey !== undefined)
    await copyFile(networkKeyPath(store.dir), networkKeyPath(dir));
  const run = runIdOf(manifest);
  const next = await openStore(dir, { run, log });
  try {
    await next.blocks.put(run, encodeManifest(manifest));
    await copyData(store.blocks, next.blocks, manifest);
  } finally {
    await next.close();
  }
  return dir;
}

/** What is not here is pulled from peers, as ever. */
async function copyData(from: BlockStore, to: BlockStore, manifest: Manifest): Promise<void> {
  const copy = async (cid: Cid, bytesMax: number): Promise<Uint8Array | undefined> => {
    const bytes = await getBody(from, cid, bytesMax);
    if (bytes !== undefined) await putBody(to, bytes);
    return bytes;
  };
  const { start, tokenizer, data } = manifest;
  if (start !== null) await copy(start, 4 * parametersCount(phaseOf(manifest, 0).model));
  if (tokenizer !== "bytes") await copy(tokenizer, TOKENIZER_BYTES_MAX);
  for (const cid of data) {
    const bytes = await copy(cid, RECORD_BYTES_MAX);
    const record = bytes && (await openRecord(bytes));
    if (record?.kind !== "accept") continue;
    for (const shard of [...record.value.train, ...record.value.heldOut]) {
      const block = await from.get(shard.cid);
      if (block !== undefined) await to.put(shard.cid, block);
    }
  }
}
