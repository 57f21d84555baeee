/** What a run learns from and starts from, as far as it is on the disk: every block is the one that was named. */
import { BLOCK_BYTES, type Cid, messageOf } from "../../core/index.ts";
import type { Archive } from "../../storage/index.ts";
import { TOKENIZER_BYTES_MAX } from "../../trainer/index.ts";
import { type ReadBody, storedBodies } from "../data/run-data.ts";
import { RECORD_BYTES_MAX, openRecord } from "../data/record.ts";
import type { Manifest } from "../run/manifest.ts";
import { readStartWeights } from "../run/start-weights.ts";
import type { Tally } from "./findings.ts";

export async function checkData(source: Archive, manifest: Manifest, tally: Tally): Promise<void> {
  const { tokenizer, data } = manifest;
  const read = archivedBodies(source);
  const look = async (cid: Cid, bytesMax: number): Promise<Uint8Array | undefined> => {
    const found = await read(cid, bytesMax);
    if (found.kind === "accept") return found.value;
    if (found.kind === "ignore") tally.unchecked.data += 1;
    else tally.refuse(cid, found);
    return undefined;
  };
  if (tokenizer !== "bytes") await look(tokenizer, TOKENIZER_BYTES_MAX);
  for (const cid of data) {
    const bytes = await look(cid, RECORD_BYTES_MAX);
    if (bytes === undefined) continue;
    const record = await openRecord(bytes);
    if (record.kind !== "accept") {
      tally.refuse(cid, record);
      continue;
    }
    for (const shard of [...record.value.train, ...record.value.heldOut]) await look(shard.cid, BLOCK_BYTES);
  }
}

/** Null: the seed's; undefined, with a finding: they are named, but not here. */
export async function startBytesOf(
  source: Archive,
  manifest: Manifest,
  tally: Tally,
): Promise<Uint8Array | null | undefined> {
  try {
    return await readStartWeights(manifest, archivedBodies(source));
  } catch (error) {
    // Decides: without them no fold can be recomputed.
    tally.find("START_WEIGHTS", manifest.start ?? "start", messageOf(error));
    return undefined;
  }
}

/** Bodies from a folder that is only looked at. */
export function archivedBodies(source: Archive): ReadBody {
  return storedBodies({ get: (cid) => source.block(cid) });
}
