import { stat } from "node:fs/promises";
import { join } from "node:path";
import { encode } from "@ipld/dag-cbor";
import fc from "fast-check";
import { CID } from "multiformats/cid";
import { describe, expect, test } from "vitest";
import { BLOCK_BYTES, type Cid, RAW, type Verdict, parseCid } from "../../../src/core/index.ts";
import { bodyBlocks, bodyCid, getBody, pullBody, putBody } from "../../../src/storage/index.ts";
import {
  filesBelow,
  flipByte,
  memoryBlocks,
  nodeCid,
  randomBytes,
  rawCid,
  recordingLog,
  temporaryStore,
} from "./support.ts";

const MIB = BLOCK_BYTES;
const BYTES_MAX = 8 * MIB;

/** 9 MiB of noise to cut bodies from. */
const noise = randomBytes(9 * MIB, "noise");

async function filesOfSize(dir: string, bytes: number): Promise<string[]> {
  const paths = await filesBelow(dir);
  const sizes = await Promise.all(paths.map(async (path) => (await stat(path)).size));
  return paths.filter((_, i) => sizes[i] === bytes);
}

describe("honest bodies", () => {
  test("a body of any size around multiples of 1 MiB comes back, under the CID that it had before", async () => {
    const size = fc
      .tuple(fc.nat(3), fc.oneof(fc.integer({ min: -3, max: 3 }), fc.integer({ min: 0, max: MIB - 1 })))
      .map(([blocks, more]) => Math.max(0, blocks * MIB + more));
    await fc.assert(
      fc.asyncProperty(size, async (bytes) => {
        const blocks = memoryBlocks();
        const body = noise.subarray(0, bytes);
        const cid = await putBody(blocks, body);
        expect(cid).toBe(bodyCid(body));
        expect(parseCid(cid)?.code === RAW).toBe(bytes <= MIB);
        expect(blocks.size).toBe(bytes <= MIB ? 1 : Math.ceil(bytes / MIB) + 1);
        const back = await getBody(blocks, cid, bytes);
        expect(Buffer.compare(back as Uint8Array, body)).toBe(0);
        expect(await getBody(blocks, cid, bytes - 1)).toBeUndefined();
      }),
      { numRuns: 40, examples: [[0], [1], [MIB - 1], [MIB], [MIB + 1], [2 * MIB], [3 * MIB + 1]] },
    );
  });

  test("a body goes from disk to disk, and only what is missing is pulled", async () => {
    const [from, to] = [(await temporaryStore()).blocks, (await temporaryStore()).blocks];
    const body = noise.subarray(0, 5 * MIB + 7);
    const cid = await putBody(from, body);
    await to.put(rawCid(body.subarray(0, MIB)), body.subarray(0, MIB));
    const pull = spyFetch(async (each) => (await from.get(each)) as Uint8Array);
    const pulled = await pullBody(to, cid, { bytesMax: BYTES_MAX, fetch: pull.fetch });
    expect(Buffer.compare(valueOf(pulled), body)).toBe(0);
    expect(pull.fetched).toHaveLength(6);
    expect(Buffer.compare((await getBody(to, cid, BYTES_MAX)) as Uint8Array, body)).toBe(0);
    await pullBody(to, cid, { bytesMax: BYTES_MAX, fetch: pull.fetch });
    expect(pull.fetched).toHaveLength(6);
  });

  test("S12 a block that was damaged on the disk is found when the body is read, and pulled anew", async () => {
    const { log, warnings } = recordingLog();
    const [from, { blocks: to, dir }] = [memoryBlocks(), await temporaryStore(undefined, log)];
    const body = noise.subarray(0, 3 * MIB + 7);
    const cid = await putBody(from, body);
    const pull = spyFetch(async (each) => (await from.get(each)) as Uint8Array);
    await pullBody(to, cid, { bytesMax: BYTES_MAX, fetch: pull.fetch });
    const [damaged] = await filesOfSize(join(dir, "blocks"), MIB);
    await flipByte(damaged as string, 500_000);
    const again = await pullBody(to, cid, { bytesMax: BYTES_MAX, fetch: pull.fetch });
    expect(Buffer.compare(valueOf(again), body)).toBe(0);
    expect(pull.fetched).toHaveLength(6);
    expect(warnings).toEqual(["a block on disk differs from its hash; deleted"]);
  });

  test("a body with a block missing is not there; its blocks can be listed and deleted", async () => {
    const blocks = memoryBlocks();
    const [a, b] = [noise.subarray(0, 2 * MIB + 1), noise.subarray(0, 10)];
    const [large, small] = [await putBody(blocks, a), await putBody(blocks, b)];
    expect(await bodyBlocks(blocks, small)).toEqual([small]);
    const listed = await bodyBlocks(blocks, large);
    expect(listed).toHaveLength(4);
    expect(listed.at(-1)).toBe(large);
    await blocks.delete(listed[1] as Cid);
    expect(await getBody(blocks, large, BYTES_MAX)).toBeUndefined();
    for (const cid of [...listed, small]) await blocks.delete(cid);
    expect(blocks.size).toBe(0);
    expect(await bodyBlocks(blocks, large)).toEqual([large]);
  });

  test("a body of equal blocks needs one of them", async () => {
    const blocks = memoryBlocks();
    const zeros = new Uint8Array(4 * MIB);
    const cid = await putBody(blocks, zeros);
    expect(blocks.size).toBe(2);
    expect(await getBody(blocks, cid, BYTES_MAX)).toHaveLength(4 * MIB);
  });
});

describe("hostile bodies", () => {
  /** What a peer could serve, by CID; anything else is a failure of the pull. */
  function serving(...blocks: Uint8Array[]): Pick<Spy, "fetch" | "fetched"> {
    const held = new Map(
      blocks.flatMap((each) => [[rawCid(each), each] as const, [nodeCid(each), each] as const]),
    );
    return spyFetch(async (cid) => {
      const bytes = held.get(cid);
      if (bytes === undefined) throw new Error(`nobody has ${cid}`);
      return bytes;
    });
  }

  const full = noise.subarray(0, MIB);
  const short = noise.subarray(0, 10);
  const link = (bytes: Uint8Array): CID => CID.parse(rawCid(bytes));
  const good = { bytes: MIB + 10, blocks: [link(full), link(short)] };
  const self = CID.parse(nodeCid(encode(good)));

  const malformed: [string, Uint8Array][] = [
    ["nothing", new Uint8Array(0)],
    ["junk", noise.subarray(0, 100)],
    ["only null", encode(null)],
    ["only a number", encode(7)],
    ["a list", encode([1])],
    ["no blocks", encode({ bytes: MIB + 10 })],
    ["no size", encode({ blocks: good.blocks })],
    ["one field more", encode({ ...good, more: 1 })],
    ["a __proto__ field", encode({ ...good, ["__proto__"]: { a: 1 } })],
    ["the size as text", encode({ ...good, bytes: String(good.bytes) })],
    ["a negative size", encode({ ...good, bytes: -good.bytes })],
    ["a fraction as size", encode({ ...good, bytes: good.bytes + 0.5 })],
    ["a size of 2^60", encode({ ...good, bytes: 2n ** 60n })],
    ["a size that a raw block would hold", encode({ bytes: MIB, blocks: [link(full)] })],
    ["a block too few", encode({ bytes: MIB + 10, blocks: [link(full)] })],
    ["a block too many", encode({ ...good, blocks: [...good.blocks, link(short)] })],
    ["a CID as text", encode({ ...good, blocks: [rawCid(full), rawCid(short)] })],
    ["something like a CID", likeCid()],
    ["a node as block (as a cycle would need)", encode({ ...good, blocks: [self, self] })],
    [
      "a CID of version 0",
      encode({ ...good, blocks: [CID.parse("QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG"), link(short)] }),
    ],
    ["a byte after the end", Uint8Array.of(...encode(good), 0)],
    ["the fields in the other order", swapped()],
    ["lists in lists, as deep as the block", new Uint8Array(100).fill(0x81)],
    ["a list that states 2^32 items", Uint8Array.of(0x9a, 0xff, 0xff, 0xff, 0xff)],
    ["bytes that state 2^40", Uint8Array.of(0x5b, 0, 0, 1, 0, 0, 0, 0, 0)],
  ];

  /** A map with the fields "/" and "bytes", which multiformats takes for a CID. */
  function likeCid(): Uint8Array {
    const bytes = encode({ ...good, blocks: [{ "0": 1, bytes: 1 }, link(short)] });
    bytes[Buffer.from(bytes).indexOf("a0") + 1] = 0x2f;
    return bytes;
  }

  /** The canonical node has "bytes" first (shorter names first); this is the same map with "blocks" first. */
  function swapped(): Uint8Array {
    const bytes = encode(good);
    const at = Buffer.from(bytes).indexOf("fblocks");
    return Buffer.concat([bytes.subarray(0, 1), bytes.subarray(at), bytes.subarray(1, at)]);
  }

  test.each(malformed)(
    "F16: a node of %s is refused, not stored, and nothing below it is asked for",
    async (_, node) => {
      const blocks = memoryBlocks();
      const peer = serving(node, full, short);
      const verdict = await pullBody(blocks, nodeCid(node), { bytesMax: BYTES_MAX, fetch: peer.fetch });
      expect(verdict).toMatchObject({ kind: "reject", code: "BODY_NODE_MALFORMED" });
      expect(peer.fetched).toEqual([nodeCid(node)]);
      expect(blocks.size).toBe(0);
    },
  );

  test("F16: a megabyte of nested lists is refused by its size, before it is decoded", async () => {
    const node = new Uint8Array(1_000_000).fill(0x81);
    const verdict = await pullBody(memoryBlocks(), nodeCid(node), { bytesMax: BYTES_MAX, ...serving(node) });
    expect(verdict).toMatchObject({ kind: "reject", code: "BODY_TOO_LARGE" });
    const largest = { bytesMax: 25_574 * MIB, ...serving(node) };
    expect(await pullBody(memoryBlocks(), nodeCid(node), largest)).toMatchObject({
      code: "BODY_NODE_MALFORMED",
    });
  });

  test.each([BYTES_MAX + 1, 2 ** 45, Number.MAX_SAFE_INTEGER])(
    "F16: a node that states %d bytes is refused before anything is allocated or asked for",
    async (bytes) => {
      const node = encode({ bytes, blocks: [] });
      const peer = serving(node);
      const before = process.memoryUsage().arrayBuffers;
      const verdict = await pullBody(memoryBlocks(), nodeCid(node), {
        bytesMax: BYTES_MAX,
        fetch: peer.fetch,
      });
      expect(verdict).toMatchObject({ kind: "reject", code: "BODY_TOO_LARGE" });
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(MIB);
      expect(peer.fetched).toHaveLength(1);
    },
  );

  test("F16: a raw body above the bound is refused and not stored", async () => {
    const blocks = memoryBlocks();
    const verdict = await pullBody(blocks, rawCid(full), { bytesMax: MIB - 1, ...serving(full) });
    expect(verdict).toMatchObject({ kind: "reject", code: "BODY_TOO_LARGE" });
    const huge = noise.subarray(0, MIB + 1);
    const tooLong = await pullBody(blocks, rawCid(huge), { bytesMax: BYTES_MAX, ...serving(huge) });
    expect(tooLong).toMatchObject({ kind: "reject", code: "BODY_TOO_LARGE" });
    expect(blocks.size).toBe(0);
  });

  test.each([
    ["in the wrong order", { bytes: MIB + 10, blocks: [link(short), link(full)] }],
    ["shorter than stated", { bytes: MIB + 11, blocks: [link(full), link(short)] }],
    ["longer than stated", { bytes: MIB + 9, blocks: [link(full), link(short)] }],
    ["short in the middle", { bytes: 2 * MIB + 10, blocks: [link(full), link(short), link(short)] }],
  ])("F16: blocks %s are refused", async (_, body) => {
    const node = encode(body);
    const blocks = memoryBlocks();
    const verdict = await pullBody(blocks, nodeCid(node), {
      bytesMax: BYTES_MAX,
      ...serving(node, full, short),
    });
    expect(verdict).toMatchObject({ kind: "reject", code: "BODY_BLOCK_SIZE" });
    // The same when the blocks are here already.
    for (const each of [full, short]) await blocks.put(rawCid(each), each);
    await blocks.put(nodeCid(node), node);
    expect(await pullBody(blocks, nodeCid(node), { bytesMax: BYTES_MAX, ...serving() })).toEqual(verdict);
    expect(await getBody(blocks, nodeCid(node), BYTES_MAX)).toBeUndefined();
  });

  test("F16: what is not a CID of ours is refused without asking anybody", async () => {
    const peer = serving();
    const sha512 =
      "bafkrgqg5v4aqllshxu7pxm5jjdnazdqtymgg5sdg4ucymcjrzzbzuqhyd5o7kfdpgxnnxxhbzqpnyhwjyfrzlgdpq7yxkgzl7fvvxqmbbn6j6";
    for (const cid of ["", "junk", "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG", sha512]) {
      const verdict = await pullBody(memoryBlocks(), cid as Cid, { bytesMax: BYTES_MAX, fetch: peer.fetch });
      expect(verdict, cid).toMatchObject({ kind: "reject", code: "BODY_CID" });
    }
    expect(peer.fetched).toEqual([]);
  });

  test("F16: any bytes as a node give a verdict", async () => {
    const mutated = fc
      .tuple(fc.nat(encode(good).length - 1), fc.integer({ min: 1, max: 255 }))
      .map(([at, flip]) => Uint8Array.from(encode(good), (byte, i) => (i === at ? byte ^ flip : byte)));
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.uint8Array({ maxLength: 200 }), mutated), async (node) => {
        const { fetch } = spyFetch(async (cid) => (cid === nodeCid(node) ? node : full));
        const verdict = await pullBody(memoryBlocks(), nodeCid(node), { bytesMax: BYTES_MAX, fetch });
        expect(verdict.kind).toBe("reject");
      }),
      { numRuns: 300 },
    );
  });

  test("S1 a pull that breaks off can be taken up again: what has come is not asked for twice", async () => {
    const body = noise.subarray(0, 6 * MIB);
    const from = memoryBlocks();
    const blocks = memoryBlocks();
    const cid = await putBody(from, body);
    let calls = 0;
    const peer = spyFetch(async (each) => {
      calls += 1;
      if (calls === 4) throw new Error("gone");
      return (await from.get(each)) as Uint8Array;
    });
    await expect(pullBody(blocks, cid, { bytesMax: BYTES_MAX, fetch: peer.fetch })).rejects.toThrow("gone");
    const already = blocks.size;
    expect(already).toBeGreaterThan(0);
    const rest = spyFetch(async (each) => (await from.get(each)) as Uint8Array);
    const pulled = await pullBody(blocks, cid, { bytesMax: BYTES_MAX, fetch: rest.fetch });
    expect(Buffer.compare(valueOf(pulled), body)).toBe(0);
    expect(rest.fetched).toHaveLength(7 - already);
  });
});

interface Spy {
  fetch(
    this: void,
    cids: readonly Cid[],
    take: (cid: Cid, block: Uint8Array) => Promise<void>,
  ): Promise<void>;
  fetched: Cid[];
}

/** Fetches one block after the other, and notes what was asked for. */
function spyFetch(serve: (cid: Cid) => Promise<Uint8Array>): Spy {
  const fetched: Cid[] = [];
  return {
    fetched,
    async fetch(cids, take) {
      for (const cid of cids) {
        fetched.push(cid);
        await take(cid, await serve(cid));
      }
    },
  };
}

function valueOf<T>(verdict: Verdict<T>): T {
  if (verdict.kind !== "accept")
    throw new Error(`expected an accepted body, got ${verdict.code}: ${verdict.detail}`);
  return verdict.value;
}
