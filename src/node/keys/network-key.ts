/**
 * The key of a closed run's network: 32 random bytes in the text file that libp2p's private networks use, so that nodes
 * in other languages take it as it is. Without it no connection gets as far as a handshake. It is never sent: people
 * hand it on. The manifest holds its digest, so that a wrong or missing key is a clear message and not a silence.
 */
import { chmod, readFile, writeFile } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { type Digest, StarlingError, digestOf, messageOf } from "../../core/index.ts";
import type { Manifest } from "../run/manifest.ts";

const HEAD = "/key/swarm/psk/1.0.0/\n/base16/\n";
const OWNER_ONLY = 0o600;
/** The copy in a data folder, so that a node once started with a key needs it no more. */
const KEY_FILE = "network.key";

export interface NetworkKey {
  /** The file's text, as libp2p takes it. */
  readonly bytes: Uint8Array;
  /** sha256 of the 32 bytes; tells nothing about them. */
  readonly digest: Digest;
}

export function createNetworkKey(): NetworkKey {
  return parse(`${HEAD}${randomBytes(32).toString("hex")}\n`);
}

/** Throws `NETWORK_KEY_INVALID`, `NETWORK_KEY_UNREADABLE`. */
export async function readNetworkKey(path: string): Promise<NetworkKey> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    // To say which file it was, and what to do.
    const message = `expected a network key at ${path}: ${messageOf(error)}; ask whoever made the run for it`;
    throw new StarlingError("NETWORK_KEY_UNREADABLE", message, { cause: error });
  }
  return parse(text, path);
}

/** Replaces what is there: a folder belongs to one run, and a run has one key. */
export async function writeNetworkKey(path: string, key: NetworkKey): Promise<void> {
  await writeFile(path, key.bytes, { mode: OWNER_ONLY });
  // The mode above counts only for a new file.
  await chmod(path, OWNER_ONLY);
}

export function networkKeyPath(dataDir: string): string {
  return join(dataDir, KEY_FILE);
}

/** The key that a data folder was given, if it was. */
export async function storedNetworkKey(dataDir: string): Promise<NetworkKey | undefined> {
  try {
    return parse(await readFile(networkKeyPath(dataDir), "utf8"), networkKeyPath(dataDir));
  } catch (error) {
    // Most runs are open, and have none.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Throws `NETWORK_KEY_MISSING` or `NETWORK_KEY_WRONG` unless the run can be joined with this key, or without one. */
export function checkNetworkKey({ admission }: Manifest, key: NetworkKey | undefined): void {
  const wanted = admission?.networkKey;
  if (wanted === key?.digest) return;
  if (key === undefined) {
    throw new StarlingError(
      "NETWORK_KEY_MISSING",
      "expected the network key of this closed run, got none; start with --network-key FILE",
    );
  }
  const expected = wanted === undefined ? "no network key, since this run is open" : `the key ${wanted}`;
  throw new StarlingError("NETWORK_KEY_WRONG", `expected ${expected}, got the key ${key.digest}`);
}

function parse(text: string, path = "memory"): NetworkKey {
  const lines = text.trimEnd().split(/\r?\n/);
  const hex = lines[2] ?? "";
  if (`${lines[0]}\n${lines[1]}\n` === HEAD && /^[0-9a-fA-F]{64}$/.test(hex) && lines.length === 3) {
    return {
      bytes: new TextEncoder().encode(`${HEAD}${hex.toLowerCase()}`),
      digest: digestOf(Buffer.from(hex, "hex")),
    };
  }
  throw new StarlingError(
    "NETWORK_KEY_INVALID",
    `expected a network key of three lines in ${path} (/key/swarm/psk/1.0.0/, /base16/, 64 hex digits)`,
  );
}
