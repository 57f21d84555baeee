/** The node's identity: an Ed25519 private key in libp2p's protobuf, in a file that only its owner may read. */
import { chmod, stat } from "node:fs/promises";
import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from "@libp2p/crypto/keys";
import type { PrivateKey } from "@libp2p/interface";
import { type Logger, StarlingError, messageOf } from "../core/index.ts";
import { diskError, readWholeFile, writeFileAtomic } from "./files.ts";

export const OWNER_ONLY = 0o600;

/**
 * Reads the key or makes one. A file that others may read is closed to them, with a warning: whoever copied it before
 * can speak in this node's name. Throws `KEY_INVALID`, `DISK_READ_FAILED`, `DISK_WRITE_FAILED`, `DISK_FULL`.
 */
export async function loadOrCreateKey(
  path: string,
  o: { temporaryDir: string; log: Logger },
): Promise<PrivateKey> {
  const stored = await readKey(path);
  if (stored !== undefined) {
    await closeToOthers(path, o.log);
    return stored;
  }
  const key = await generateKeyPair("Ed25519");
  const bytes = privateKeyToProtobuf(key);
  await writeFileAtomic(path, bytes, { temporaryDir: o.temporaryDir, mode: OWNER_ONLY });
  return key;
}

/** The key, or undefined when there is none. Throws `KEY_INVALID`, `DISK_READ_FAILED`. */
export async function readKey(path: string): Promise<PrivateKey | undefined> {
  const content = await readWholeFile(path);
  return content && checkKey(path, content.bytes);
}

async function closeToOthers(path: string, log: Logger): Promise<void> {
  // Windows keeps rights elsewhere and always shows 0666.
  if (process.platform === "win32") return;
  try {
    const { mode } = await stat(path);
    if ((mode & 0o077) === 0) return;
    await chmod(path, OWNER_ONLY);
    log.warn("the key file was open to other users; closed to them now", {
      path,
      mode: (mode & 0o777).toString(8),
    });
  } catch (error) {
    // To say which file it was.
    throw diskError("write", path, error);
  }
}

/**
 * Refuses a key of which any byte is damaged: it must encode to the same bytes again, and what one half of it signs the
 * other half must verify.
 */
async function checkKey(path: string, bytes: Uint8Array): Promise<PrivateKey> {
  try {
    const key = privateKeyFromProtobuf(bytes);
    if (key.type !== "Ed25519") throw new Error(`it is ${key.type}`);
    if (Buffer.compare(privateKeyToProtobuf(key), bytes) !== 0) throw new Error("it is damaged");
    const probe = new Uint8Array(32);
    if (!(await key.publicKey.verify(probe, await key.sign(probe))))
      throw new Error("its halves don't match");
    return key;
  } catch (error) {
    // Whatever is wrong with it, the person can do the same about it.
    throw new StarlingError(
      "KEY_INVALID",
      `expected a libp2p Ed25519 private key in ${path}, but: ${messageOf(error)}; put back a copy of it, or remove ` +
        `it to take part under a new identity`,
      { cause: error },
    );
  }
}
