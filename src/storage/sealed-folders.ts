/**
 * Folders of files, one per phase and round, that are either whole or not there. A folder is built aside, sealed with
 * the size and Merkle root of each file, and renamed to `<phase>-<round>-<serial>`. The serial counts saves: it makes
 * every name new, so that a rename never has to replace anything, and it says which is newest even when the node
 * resynced to a history with lower round numbers.
 */
import { readdir, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { z } from "zod";
import {
  type Digest,
  type Logger,
  type Refused,
  assert,
  messageOf,
  reject,
  rootOfBytes,
  silentLog,
} from "../core/index.ts";
import { FILE_NAME, assertFileName } from "./file-set.ts";
import {
  diskError,
  errorCode,
  makeFolder,
  readWholeFile,
  syncFile,
  syncFolder,
  temporaryPath,
  writeNewFile,
} from "./files.ts";
import { forEachParallel } from "./parallel.ts";

export interface RoundName {
  readonly phase: number;
  readonly round: number;
}

export interface RawFolder extends RoundName {
  /** Of the folder. */
  readonly name: string;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

interface Entry extends RoundName {
  readonly serial: number;
  readonly dir: string;
}

/** Where a folder is built; whoever holds the data folder may empty it while nothing is saved. */
export const TEMPORARY = "tmp";
const SEAL = "seal.json";
/** Of one folder, while they are written. Guess: a state has three large ones. */
const FILES_AT_ONCE = 4;
const ENTRY = /^(\d{1,10})-(\d{1,10})-(\d{1,15})$/;

const sealSchema = z.strictObject({
  files: z.array(
    z.strictObject({ name: z.string().regex(FILE_NAME), bytes: z.int().nonnegative(), root: z.string() }),
  ),
});
type Seal = z.infer<typeof sealSchema>;

export class SealedFolders {
  readonly #dir: string;
  readonly #temporaryDir: string;
  readonly #keep: number;
  readonly #log: Logger;
  /** What was saved last and may not outlive the machine yet. */
  #unsynced: { readonly dir: string; readonly files: readonly string[] } | undefined;
  /** Calls run one after the other, so that nothing is pruned while it is read. */
  #last: Promise<unknown> = Promise.resolve();

  /** `keep`: how many rounds stay, at least 1; there must be room for one more. */
  constructor(o: { dir: string; keep?: number; log?: Logger }) {
    this.#dir = o.dir;
    this.#temporaryDir = join(o.dir, TEMPORARY);
    this.#keep = o.keep ?? 2;
    this.#log = o.log ?? silentLog;
    assert(this.#keep >= 1, `keep must be at least 1, got ${this.#keep}`);
  }

  /**
   * Answers with the Merkle roots of the files. The bytes must not change before. Saving a round again replaces it. `durable`
   * (default: true): outlives the death of the machine once it resolves; else only that of the process, until `sync`, or
   * the next save, has.
   */
  save(
    name: RoundName,
    files: ReadonlyMap<string, Uint8Array>,
    { durable = true }: { durable?: boolean } = {},
  ): Promise<Map<string, Digest>> {
    for (const file of files.keys()) assertFileName(file);
    assert(!files.has(SEAL), `${SEAL} is the seal's own name`);
    assertCount(name.phase);
    assertCount(name.round);
    return this.#serially(async () => {
      await this.#sync();
      const serial = ((await this.#entries())[0]?.serial ?? 0) + 1;
      const dir = join(this.#dir, `${name.phase}-${name.round}-${serial}`);
      try {
        const roots = await this.#build(dir, files, durable);
        if (durable) await this.#prune();
        else this.#unsynced = { dir, files: [...files.keys(), SEAL] };
        return roots;
      } catch (error) {
        // To say which folder it was.
        throw diskError("write", dir, error);
      }
    });
  }

  /** Makes durable what was saved last; what is no longer wanted goes only then. */
  sync(): Promise<void> {
    return this.#serially(() => this.#sync());
  }

  async #sync(): Promise<void> {
    if (this.#unsynced === undefined) return;
    const { dir, files } = this.#unsynced;
    try {
      for (const file of files) await syncFile(join(dir, file));
      await syncFolder(dir);
      await syncFolder(this.#dir);
      this.#unsynced = undefined;
      await this.#prune();
    } catch (error) {
      // To say which folder it was.
      throw diskError("write", dir, error);
    }
  }

  /** The files of a round, or undefined when there are none that are whole. */
  load(name: RoundName): Promise<Map<string, Uint8Array> | undefined> {
    return this.#serially(async () => {
      const same = (await this.#entries()).filter((entry) => sameRound(entry, name));
      return (await this.#firstWhole(same))?.files;
    });
  }

  /** The newest round that is whole. */
  latest(): Promise<{ name: RoundName; files: Map<string, Uint8Array> } | undefined> {
    return this.#serially(async () => this.#firstWhole(await this.#entries()));
  }

  /** The name of the folder saved last, another one after each save; undefined before the first. */
  newest(): Promise<string | undefined> {
    return this.#serially(async () => (await this.#entries())[0]?.dir);
  }

  /** The rounds on disk, the one saved last first; whether they are whole only `load` can tell. */
  list(): Promise<RoundName[]> {
    return this.#serially(async () => {
      const newest = newestOfEachRound(await this.#entries());
      return newest.map(({ phase, round }) => ({ phase, round }));
    });
  }

  /** Every folder with all its files as they are on disk, the one saved last first; `checkSeal` tells if it is whole. */
  async *raw(): AsyncGenerator<RawFolder> {
    for (const { phase, round, dir } of await this.#entries())
      yield { phase, round, name: basename(dir), files: await readFolder(dir) };
  }

  async #build(
    dir: string,
    files: ReadonlyMap<string, Uint8Array>,
    durable: boolean,
  ): Promise<Map<string, Digest>> {
    const temporary = temporaryPath(this.#temporaryDir, basename(dir));
    try {
      await makeFolder(temporary, { durable: false });
      const roots = new Map<string, Digest>();
      await forEachParallel(files, FILES_AT_ONCE, async ([name, bytes]) => {
        const meanwhile = (): void => void roots.set(name, rootOfBytes(bytes));
        await writeNewFile(join(temporary, name), bytes, { durable, meanwhile });
      });
      const seal: Seal = {
        files: [...files].map(([name, { length }]) => ({
          name,
          bytes: length,
          root: roots.get(name) as Digest,
        })),
      };
      await writeNewFile(join(temporary, SEAL), Buffer.from(JSON.stringify(seal)), { durable });
      if (durable) await syncFolder(temporary);
      await rename(temporary, dir);
      if (durable) await syncFolder(this.#dir);
      return roots;
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  }

  /** Moves what is no longer wanted aside before removing it, so that no half-removed folder keeps its name. */
  async #prune(): Promise<void> {
    const entries = await this.#entries();
    const kept = new Set(newestOfEachRound(entries).slice(0, this.#keep));
    for (const entry of entries.filter((each) => !kept.has(each))) {
      const temporary = temporaryPath(this.#temporaryDir, basename(entry.dir));
      await rename(entry.dir, temporary);
      await rm(temporary, { recursive: true, force: true });
    }
  }

  async #firstWhole(
    entries: readonly Entry[],
  ): Promise<{ name: RoundName; files: Map<string, Uint8Array> } | undefined> {
    for (const entry of entries) {
      const files = await this.#open(entry);
      if (files !== undefined) return { name: { phase: entry.phase, round: entry.round }, files };
    }
    return undefined;
  }

  async #open(entry: Entry): Promise<Map<string, Uint8Array> | undefined> {
    const sealed = await readWholeFile(join(entry.dir, SEAL));
    const seal = sealed === undefined ? undefined : parseSeal(sealed.bytes);
    if (seal === undefined) return this.#damaged(entry, SEAL);
    const files = new Map<string, Uint8Array>();
    for (const file of seal.files) {
      const content = await readWholeFile(join(entry.dir, file.name));
      if (content?.root !== file.root || content.bytes.length !== file.bytes)
        return this.#damaged(entry, file.name);
      files.set(file.name, content.bytes);
    }
    return files;
  }

  #damaged(entry: Entry, file: string): undefined {
    this.#log.warn("a saved file is missing or differs from its checksum; not used", {
      dir: entry.dir,
      file,
    });
    return undefined;
  }

  /** What is on disk, the one saved last first. */
  async #entries(): Promise<Entry[]> {
    const dir = this.#dir;
    let names: string[];
    try {
      names = await readdir(dir);
    } catch (error) {
      // No folder yet is an answer; anything else needs a person.
      if (errorCode(error) === "ENOENT") return [];
      throw diskError("read", dir, error);
    }
    const entries = names.flatMap((name): Entry[] => {
      const match = ENTRY.exec(name);
      if (match === null) return [];
      const [phase, round, serial] = match.slice(1).map(Number) as [number, number, number];
      return [{ phase, round, serial, dir: join(dir, name) }];
    });
    return entries.sort((a, b) => b.serial - a.serial);
  }

  #serially<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    // The error is the caller's, who has `result`; the next in line only waits.
    this.#last = result.catch(messageOf);
    return result;
  }
}

/** What is wrong with the files of a folder, as `raw` gives them; undefined when nothing is. */
export function checkSeal(files: ReadonlyMap<string, Uint8Array>): Refused | undefined {
  const sealed = files.get(SEAL);
  const seal = sealed && parseSeal(sealed);
  if (seal === undefined)
    return reject("SEAL_INVALID", `${SEAL}: expected a seal, got ${sealed ? "something else" : "none"}`);
  const unsealed = [...files.keys()].find(
    (name) => name !== SEAL && !seal.files.some((file) => file.name === name),
  );
  if (unsealed !== undefined)
    return reject("SEAL_BROKEN", `${unsealed}: expected no file that is not in the seal`);
  for (const { name, bytes, root } of seal.files) {
    const content = files.get(name);
    if (content === undefined) return reject("SEAL_BROKEN", `${name}: expected ${bytes} bytes, got no file`);
    if (content.length !== bytes)
      return reject("SEAL_BROKEN", `${name}: expected ${bytes} bytes, got ${content.length}`);
    const actual = rootOfBytes(content);
    if (actual !== root) return reject("SEAL_BROKEN", `${name}: expected root ${root}, got ${actual}`);
  }
  return undefined;
}

async function readFolder(dir: string): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  try {
    for (const name of (await readdir(dir)).toSorted()) {
      const content = await readWholeFile(join(dir, name));
      if (content !== undefined) files.set(name, content.bytes);
    }
  } catch (error) {
    // To say which folder it was.
    throw diskError("read", dir, error);
  }
  return files;
}

function newestOfEachRound(entries: readonly Entry[]): Entry[] {
  return entries.filter((entry, at) => entries.findIndex((other) => sameRound(other, entry)) === at);
}

function sameRound(a: RoundName, b: RoundName): boolean {
  return a.phase === b.phase && a.round === b.round;
}

function parseSeal(bytes: Uint8Array): Seal | undefined {
  try {
    return sealSchema.parse(JSON.parse(Buffer.from(bytes).toString()));
  } catch {
    // Damaged: the caller says where.
    return undefined;
  }
}

function assertCount(count: number): void {
  assert(
    Number.isInteger(count) && count >= 0 && count < 2 ** 32,
    `expected a count below 2^32, got ${count}`,
  );
}
