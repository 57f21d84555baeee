/**
 * A node's identity as a file to keep or to take along: the same bytes as the folder's `key`, readable only by its owner.
 * Whoever has it can speak in the node's name; two nodes with one key would contradict each other.
 */
import { join } from "node:path";
import { peerIdFromPrivateKey } from "@libp2p/peer-id";
import { type PeerId, StarlingError } from "../core/index.ts";
import { diskError, errorCode, makeFolder, readWholeFile, writeFileAtomic, writeNewFile } from "./files.ts";
import { OWNER_ONLY, readKey } from "./key.ts";
import { checkFormat } from "./labels.ts";

/** Copies a folder's key to a new file. Throws `KEY_MISSING`, `FILE_EXISTS`, `KEY_INVALID`, and the `DISK_` codes. */
export async function exportKey(dataDir: string, out: string): Promise<PeerId> {
  const path = join(dataDir, "key");
  const content = await readWholeFile(path);
  const key = await readKey(path);
  if (content === undefined || key === undefined)
    throw new StarlingError(
      "KEY_MISSING",
      `expected a key in ${dataDir}, found none: \`starling start\` makes one`,
    );
  try {
    await writeNewFile(out, content.bytes, { mode: OWNER_ONLY });
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw diskError("write", out, error);
    // Never over another key.
    throw new StarlingError("FILE_EXISTS", `expected a new file, but ${out} is there; name another one`, {
      cause: error,
    });
  }
  return peerIdFromPrivateKey(key).toString() as PeerId;
}

/**
 * Makes a folder's identity the one in a file; the folder may be new. Throws `KEY_EXISTS` when it has another one already,
 * `FILE_NOT_FOUND`, `KEY_INVALID`, `DATA_DIR_NEWER`, and the `DISK_` codes.
 */
export async function importKey(dataDir: string, from: string): Promise<PeerId> {
  const content = await readWholeFile(from);
  const key = await readKey(from);
  if (content === undefined || key === undefined)
    throw new StarlingError("FILE_NOT_FOUND", `expected an exported key in ${from}, found no file`);
  await checkFormat(dataDir);
  const peerId = peerIdFromPrivateKey(key).toString() as PeerId;
  const path = join(dataDir, "key");
  const present = await readKey(path);
  if (present?.equals(key)) return peerId;
  if (present !== undefined)
    throw new StarlingError(
      "KEY_EXISTS",
      `expected a data folder without an identity, but ${dataDir} is ${peerIdFromPrivateKey(present).toString()}; ` +
        `import into a new folder`,
    );
  try {
    await makeFolder(dataDir);
  } catch (error) {
    // To say which folder it was.
    throw diskError("write", dataDir, error);
  }
  await writeFileAtomic(path, content.bytes, { mode: OWNER_ONLY });
  return peerId;
}
