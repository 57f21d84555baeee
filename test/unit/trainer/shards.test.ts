import fc from "fast-check";
import { expect, test } from "vitest";
import { SeededRandom } from "../../../src/core/index.ts";
import {
  type DocumentPart,
  type Tokenizer,
  byteTokenizer,
  decodeShard,
  piecesOf,
  shardsOf,
  sides,
} from "../../../src/trainer/index.ts";

async function* partsOf(documents: readonly (readonly Uint8Array[])[]): AsyncGenerator<DocumentPart> {
  for (const parts of documents)
    for (const [i, bytes] of parts.entries()) yield { bytes, endsDocument: i === parts.length - 1 };
}

async function listed<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** Words and lines, no two lines alike. */
function prose(linesCount: number): Uint8Array {
  const random = new SeededRandom("prose");
  const line = (i: number): string => `${i} ${"word ".repeat(random.below(12))}\n`;
  return text(Array.from({ length: linesCount }, (_, i) => line(i)).join(""));
}

test("T9 pieces put together are the document, however it arrives, and no character is cut", async () => {
  const grapheme = fc.string({ unit: "grapheme", maxLength: 2000 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(grapheme, { maxLength: 5 }),
      fc.integer({ min: 1, max: 700 }),
      async (documents, size) => {
        const cut = (bytes: Uint8Array): Uint8Array[] => {
          const parts = [];
          for (let at = 0; at < bytes.length; at += size) parts.push(bytes.subarray(at, at + size));
          return [...parts, new Uint8Array(0)];
        };
        const pieces = await listed(piecesOf(partsOf(documents.map((document) => cut(text(document))))));
        const decoded = pieces.map(({ bytes }) =>
          new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes),
        );
        expect(decoded.join("")).toBe(documents.join(""));
        expect(pieces.filter(({ endsDocument }) => endsDocument).length).toBe(
          documents.filter((d) => d !== "").length,
        );
      },
    ),
  );
});

test("T9 pieces end at line breaks and grow with what has been read", async () => {
  const pieces = await listed(piecesOf(partsOf([[prose(40_000)]])));
  const sizes = pieces.map(({ bytes }) => bytes.length);
  expect(pieces.slice(0, -1).every(({ bytes }) => bytes.at(-1) === 0x0a)).toBe(true);
  expect(sizes[0]).toBeLessThanOrEqual(256);
  expect(Math.max(...sizes)).toBeGreaterThan(10_000);
  expect(pieces.length).toBeGreaterThan(150);
});

test("T9 what is held out is about the share, by content: the same piece is on the same side everywhere", async () => {
  const all = await listed(sides(piecesOf(partsOf([[prose(60_000)]])), 0.2));
  const bytesOf = (side: string): number =>
    all.filter((piece) => piece.side === side).reduce((sum, { bytes }) => sum + bytes.length, 0);
  const share = bytesOf("heldOut") / (bytesOf("heldOut") + bytesOf("train"));
  expect(share).toBeGreaterThan(0.12);
  expect(share).toBeLessThan(0.28);
  // The same documents in another order, each short enough to be one piece.
  const documents = Array.from({ length: 200 }, (_, i) => text(`document ${i}`));
  const sideOf = async (order: Uint8Array[]): Promise<Map<string, string>> =>
    new Map(
      (await listed(sides(piecesOf(partsOf(order.map((d) => [d]))), 0.2))).map(({ bytes, side }) => [
        Buffer.from(bytes).toString(),
        side,
      ]),
    );
  const forwards = await sideOf(documents);
  expect(await sideOf(documents.toReversed())).toEqual(forwards);
  expect(new Set(forwards.values())).toEqual(new Set(["train", "heldOut"]));
});

test("T9 with few pieces one is held out all the same, and nothing is lost", async () => {
  for (let count = 2; count < 30; count++) {
    const documents = Array.from({ length: count }, (_, i) => text(`${count}: document ${i}`));
    const pieces = await listed(sides(piecesOf(partsOf(documents.map((d) => [d]))), 0.01));
    expect(pieces.filter(({ side }) => side === "heldOut").length).toBeGreaterThan(0);
    const came = pieces.map(({ bytes }) => Buffer.from(bytes).toString()).toSorted();
    expect(came).toEqual(documents.map((d) => Buffer.from(d).toString()).toSorted());
  }
});

/** Every code point is a token: a vocabulary beyond two bytes. */
const codePoints: Tokenizer = {
  vocabulary: 0x11_0000,
  endToken: null,
  encode: (value) => Array.from(value, (character) => character.codePointAt(0) as number),
  encodeBytes: (utf8) => codePoints.encode(new TextDecoder().decode(utf8)),
  decode: (tokens) => String.fromCodePoint(...tokens),
};

test.each([
  ["bytes", byteTokenizer, 1],
  ["code points", codePoints, 4],
] as const)(
  "T9 shards of %s hold at most 1 MiB each and all the tokens in order",
  async (_, tokenizer, width) => {
    const book = prose(80_000);
    const pieces = await listed(sides(piecesOf(partsOf([[book], [text("the end")]])), 0.3));
    const shards = await listed(shardsOf(partsOfList(pieces), tokenizer));
    expect(shards.every(({ bytes }) => bytes.length <= 2 ** 20)).toBe(true);
    for (const side of ["train", "heldOut"] as const) {
      const tokens = shards
        .filter((shard) => shard.side === side)
        .flatMap((shard) => {
          const decoded = decodeShard(shard.bytes, {
            tokens: shard.tokens,
            vocabulary: tokenizer.vocabulary,
          });
          expect(decoded.kind).toBe("accept");
          expect(shard.bytes.length).toBe(shard.tokens * width);
          return decoded.kind === "accept" ? Array.from(decoded.value) : [];
        });
      const expected = pieces
        .filter((piece) => piece.side === side)
        .flatMap(({ bytes, endsDocument }) => [
          ...Array.from(tokenizer.encodeBytes(bytes)),
          ...(endsDocument && tokenizer.endToken !== null ? [tokenizer.endToken] : []),
        ]);
      expect(tokens.length).toBe(expected.length);
      expect(tokens.every((token, i) => token === expected[i])).toBe(true);
    }
  },
);

async function* partsOfList<T>(list: readonly T[]): AsyncGenerator<T> {
  yield* list;
}

test("T9 a shard that is not what its name says gets a verdict, whatever its bytes", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 64 }),
      fc.nat(64),
      fc.integer({ min: 2, max: 100_000 }),
      (bytes, tokens, vocabulary) => {
        const verdict = decodeShard(bytes, { tokens, vocabulary });
        if (verdict.kind === "accept") {
          expect(verdict.value.length).toBe(tokens);
          expect(verdict.value.every((token) => token < vocabulary)).toBe(true);
        } else expect(["SHARD_SIZE", "SHARD_TOKEN"]).toContain(verdict.code);
      },
    ),
  );
  expect(decodeShard(Uint8Array.of(1, 200), { tokens: 2, vocabulary: 200 })).toMatchObject({
    code: "SHARD_TOKEN",
  });
  expect(decodeShard(Uint8Array.of(1, 2, 3), { tokens: 2, vocabulary: 300 })).toMatchObject({
    code: "SHARD_SIZE",
  });
});
