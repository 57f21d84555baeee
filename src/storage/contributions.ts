/**
 * Signed headers, kept for ever, in a LevelDB of their own: `headers` in the order of phase, round and id, and `places`
 * from the id to that key. What is durable is fsynced before `put` resolves; the rest survives the death of the
 * process but perhaps not that of the machine (and then comes back from peers).
 */
import type { ClassicLevel } from "classic-level";
import { type ContributionId, type Logger, assert, bytesOf, matchesCid } from "../core/index.ts";
import { diskError } from "./files.ts";
import { MendedLevel } from "./mended-level.ts";

/** What fits into a gossip message. From: design, section 7. */
const HEADER_BYTES_MAX = 2 ** 16;

export interface StoredHeader {
  readonly phase: number;
  readonly round: number;
  /** The CID of `bytes`. */
  readonly id: ContributionId;
  readonly bytes: Uint8Array;
  /** On disk, not only with the system, before `put` resolves: for the node's own. Default: false. */
  readonly durable?: boolean;
}

/** Every method throws `DISK_READ_FAILED`, `DISK_WRITE_FAILED` or `DISK_FULL` when the disk does not work. */
export interface ContributionStore {
  /** At most 64 KiB; the same header again changes nothing. */
  put(header: StoredHeader): Promise<void>;
  /** Undefined when it is not there, or (with a warning) when it differs from its hash. */
  get(id: ContributionId): Promise<Uint8Array | undefined>;
  /**
   * Headers of rounds >= `fromRound`, oldest round first, within a round by id; as many as fit into `limitBytes`,
   * but at least one. `more` says that there are others; to go on within a round, give the last one's id as `after`.
   */
  since(
    phase: number,
    fromRound: number,
    limitBytes: number,
    after?: ContributionId,
  ): Promise<{ headers: Uint8Array[]; more: boolean }>;
  /** Every header of a phase in the same order, as they were when the iteration began. */
  all(phase: number): AsyncIterable<Uint8Array>;
}

type Table<V> = ReturnType<typeof ClassicLevel.prototype.sublevel<string, V>>;

/** `headers`: signed bytes by `headerKey`. `places`: that key by id. */
export function tablesOf(db: ClassicLevel): { headers: Table<Uint8Array>; places: Table<string> } {
  return {
    headers: db.sublevel<string, Uint8Array>("headers", { valueEncoding: "view" }),
    places: db.sublevel<string, string>("places", {}),
  };
}

export function createContributionStore(o: {
  db: ClassicLevel;
  dir: string;
  log: Logger;
}): ContributionStore {
  let { headers, places } = tablesOf(o.db);
  const level = new MendedLevel({
    db: o.db,
    dir: o.dir,
    reopened: () => ({ headers, places } = tablesOf(o.db)),
  });

  /** Whether a header is what its id names; LevelDB does not check its own checksums on every read. */
  const isWhole = (id: ContributionId, bytes: Uint8Array): boolean => {
    if (matchesCid(id, bytes)) return true;
    o.log.warn("a header on disk differs from its hash; not used", { id, bytes: bytes.length });
    return false;
  };

  async function* ordered(range: { gt: string; lt: string }): AsyncGenerator<Uint8Array> {
    await level.readable();
    try {
      for await (const [key, value] of headers.iterator(range)) {
        const bytes = bytesOf(value);
        if (isWhole(key.slice(key.lastIndexOf("/") + 1) as ContributionId, bytes)) yield bytes;
      }
    } catch (error) {
      // To say which folder it was.
      throw diskError("read", o.dir, error);
    }
  }

  return {
    async put({ phase, round, id, bytes, durable }) {
      assert(
        bytes.length <= HEADER_BYTES_MAX,
        `expected at most ${HEADER_BYTES_MAX} bytes, got ${bytes.length}`,
      );
      const key = headerKey(phase, round, id);
      try {
        await level.write(() =>
          o.db
            .batch()
            .put(key, bytes, { sublevel: headers })
            .put(id, key, { sublevel: places })
            .write({ sync: durable ?? false }),
        );
      } catch (error) {
        // To say which folder it was.
        throw diskError("write", o.dir, error);
      }
    },
    async get(id) {
      await level.readable();
      try {
        const key = await places.get(id);
        const value = key === undefined ? undefined : await headers.get(key);
        if (value === undefined) return undefined;
        const bytes = bytesOf(value);
        return isWhole(id, bytes) ? bytes : undefined;
      } catch (error) {
        // To say which folder it was.
        throw diskError("read", o.dir, error);
      }
    },
    async since(phase, fromRound, limitBytes, after) {
      const range = { gt: roundKey(phase, fromRound) + (after ?? ""), lt: phaseEnd(phase) };
      const page: Uint8Array[] = [];
      let pageBytes = 0;
      for await (const bytes of ordered(range)) {
        if (page.length > 0 && pageBytes + bytes.length > limitBytes) return { headers: page, more: true };
        page.push(bytes);
        pageBytes += bytes.length;
      }
      return { headers: page, more: false };
    },
    all: (phase) => ordered({ gt: roundKey(phase, 0), lt: phaseEnd(phase) }),
  };
}

/** Where a header is kept. */
export function headerKey(phase: number, round: number, id: ContributionId): string {
  return roundKey(phase, round) + id;
}

/** Fixed width, so that the order of the text is the order of the numbers. */
function roundKey(phase: number, round: number): string {
  return `${fixedWidth(phase)}/${fixedWidth(round)}/`;
}

/** Above every key of the phase: "0" comes right after "/". */
function phaseEnd(phase: number): string {
  return `${fixedWidth(phase)}0`;
}

function fixedWidth(count: number): string {
  assert(
    Number.isInteger(count) && count >= 0 && count < 2 ** 32,
    `expected a count below 2^32, got ${count}`,
  );
  return count.toString(16).padStart(8, "0");
}
