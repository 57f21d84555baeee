import * as dagCbor from "@ipld/dag-cbor";
import fc from "fast-check";
import { expect, test } from "vitest";
import { DAG_CBOR, type Cid, type Digest, accept, cidOf, digestOf } from "../../../src/core/index.ts";
import {
  HEADER_BYTES_MAX,
  SYNC_IDS_MAX,
  SYNC_REPLY_BYTES_MAX,
  SYNC_REQUEST_BYTES_MAX,
  decodeReply,
  decodeRequest,
  decodeStateReply,
  encodeReply,
  encodeRequest,
} from "../../../src/gossip/sync-messages.ts";

const cid = fc.uint8Array({ maxLength: 8 }).map((bytes): Cid => cidOf(bytes, DAG_CBOR));
const digestOfCid = (text: Cid): Digest => digestOf(new TextEncoder().encode(text));
const request = fc.oneof(
  fc.record({ phase: fc.nat({ max: 63 }), fromRound: fc.nat({ max: 2 ** 31 - 1 }) }),
  fc.record({ ids: fc.array(cid, { maxLength: 20 }) }),
  fc.record({ phase: fc.nat({ max: 63 }), round: fc.nat({ max: 2 ** 31 - 1 }), root: cid.map(digestOfCid) }),
);

test("a request is what it was after the wire", () => {
  fc.assert(
    fc.property(request, (query) => {
      expect(decodeRequest(encodeRequest(query))).toEqual(accept(query));
    }),
  );
});

test("a reply is what it was after the wire", () => {
  const reply = fc.record({ headers: fc.array(fc.uint8Array()), more: fc.boolean() });
  fc.assert(
    fc.property(reply, (value) => {
      expect(decodeReply(encodeReply(value))).toEqual(accept(value));
    }),
  );
});

test.each([
  { phase: 64, fromRound: 0 },
  { phase: 0, fromRound: 2 ** 31 },
  { phase: 0, fromRound: Number.MAX_SAFE_INTEGER },
  { phase: -1, fromRound: 0 },
])("R7: a phase or round that no header can have is rejected, not looked up: %j", (query) => {
  expect(decodeRequest(dagCbor.encode(query))).toMatchObject({ kind: "reject", code: "SYNC_REQUEST" });
});

test("any bytes are a verdict, never an exception", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(["accept", "reject"]).toContain(decodeRequest(bytes).kind);
      expect(["accept", "reject"]).toContain(decodeReply(bytes).kind);
      expect(["accept", "reject"]).toContain(decodeStateReply(bytes).kind);
    }),
    { numRuns: 2000 },
  );
});

test("any DAG-CBOR of another shape is rejected", () => {
  const shape = fc.anything({
    withNullPrototype: false,
    maxDepth: 3,
    values: [fc.string(), fc.nat(), fc.uint8Array()],
  });
  fc.assert(
    fc.property(fc.record({ phase: shape, fromRound: shape, extra: shape }), (value) => {
      let bytes: Uint8Array;
      try {
        bytes = dagCbor.encode(value);
      } catch {
        // Not every value has an encoding; those are not what is tested.
        return;
      }
      expect(decodeRequest(bytes).kind).toBe("reject");
      expect(decodeReply(bytes).kind).toBe("reject");
    }),
  );
});

test("nesting as deep as a frame allows is rejected, not a stack overflow", () => {
  expect(decodeRequest(new Uint8Array(SYNC_REQUEST_BYTES_MAX).fill(0x81)).kind).toBe("reject");
  expect(decodeReply(new Uint8Array(SYNC_REPLY_BYTES_MAX).fill(0x81)).kind).toBe("reject");
});

test("the largest request fits its frame; one id more is our own bug or the peer's fault", () => {
  const ids = Array.from({ length: SYNC_IDS_MAX + 1 }, (_, n) => cidOf(Uint8Array.of(n, n >> 8), DAG_CBOR));
  expect(encodeRequest({ ids: ids.slice(1) }).length).toBeLessThan(SYNC_REQUEST_BYTES_MAX);
  expect(() => encodeRequest({ ids })).toThrow(/256/);
});

test("a reply is cut to its frame from the end, and says so", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: HEADER_BYTES_MAX }),
      fc.integer({ min: 1, max: 40 }),
      (length, count) => {
        const headers = Array.from({ length: count }, () => new Uint8Array(length));
        const bytes = encodeReply({ headers, more: false });
        expect(bytes.length).toBeLessThanOrEqual(SYNC_REPLY_BYTES_MAX);
        const decoded = decodeReply(bytes);
        if (decoded.kind !== "accept") throw new Error(decoded.detail);
        expect(decoded.value.more).toBe(decoded.value.headers.length < count);
        const fitted = SYNC_REPLY_BYTES_MAX > (length + 8) * count + 64;
        if (fitted) expect(decoded.value.headers.length).toBe(count);
      },
    ),
    { numRuns: 30 },
  );
});

test("a header above 64 KiB is rejected", () => {
  const bytes = dagCbor.encode({ headers: [new Uint8Array(HEADER_BYTES_MAX + 1)], more: false });
  expect(decodeReply(bytes)).toMatchObject({ kind: "reject", code: "SYNC_REPLY" });
});
