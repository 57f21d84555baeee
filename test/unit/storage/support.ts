import { mkdtemp, open, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import {
  type Cid,
  DAG_CBOR,
  type Logger,
  RAW,
  type RunId,
  SeededRandom,
  cidOf,
  silentLog,
} from "../../../src/core/index.ts";
import { type BlockStore, type Store, openStore } from "../../../src/storage/index.ts";

/** A folder that goes when the test is over. */
export async function temporaryDir(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "starling-storage-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** A store that is closed when the test is over, before its folder goes. */
export async function temporaryStore(dir?: string, log: Logger = silentLog): Promise<Store> {
  const store = await openStore(dir ?? (await temporaryDir()), { log });
  onTestFinished(() => store.close());
  return store;
}

/** A log that keeps its warnings. */
export function recordingLog(): { log: Logger; warnings: string[] } {
  const warnings: string[] = [];
  const log: Logger = { ...silentLog, warn: (message) => void warnings.push(message), child: () => log };
  return { log, warnings };
}

/** Real hashing and no disk, for what is not about the disk. */
export function memoryBlocks(): BlockStore & { readonly size: number } {
  const held = new Map<Cid, Uint8Array>();
  return {
    get: async (cid) => held.get(cid),
    has: async (cid) => held.has(cid),
    put: async (cid, bytes) => void held.set(cid, bytes),
    delete: async (cid) => void held.delete(cid),
    get size() {
      return held.size;
    },
  };
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

export function randomBytes(length: number, seed: string): Uint8Array {
  const random = new SeededRandom(seed);
  const words = Uint32Array.from({ length: Math.ceil(length / 4) }, () => random.u32());
  return new Uint8Array(words.buffer, 0, length);
}

export function rawCid(bytes: Uint8Array): Cid {
  return cidOf(bytes, RAW);
}

export function nodeCid(bytes: Uint8Array): Cid {
  return cidOf(bytes, DAG_CBOR);
}

export function runNamed(name: string): RunId {
  return nodeCid(new TextEncoder().encode(name)) as RunId;
}

/** Changes one byte of a file where it is. */
export async function flipByte(path: string, at: number): Promise<void> {
  const handle = await open(path, "r+");
  try {
    const byte = new Uint8Array(1);
    await handle.read(byte, 0, 1, at);
    await handle.write(Uint8Array.of((byte[0] as number) ^ 1), 0, 1, at);
  } finally {
    await handle.close();
  }
}

/** The files below a folder, as paths. */
export async function filesBelow(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
