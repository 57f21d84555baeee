import fc from "fast-check";
import { expect, test } from "vitest";
import { DAG_CBOR, RAW, cidOf } from "../../../src/core/index.ts";
import { HAVE_CIDS_MAX, decodeQuestion, encodeQuestion } from "../../../src/gossip/have-protocol.ts";

const cid = fc
  .tuple(fc.uint8Array({ maxLength: 8 }), fc.constantFrom(RAW, DAG_CBOR))
  .map(([bytes, codec]) => cidOf(bytes, codec));

test("S1 a question comes back as it was", () => {
  const cids = fc.array(cid, { minLength: 1, maxLength: HAVE_CIDS_MAX });
  fc.assert(
    fc.property(fc.nat(4), cids, (takes, about) => {
      const question = { takes, cids: about };
      expect(decodeQuestion(encodeQuestion(question))).toEqual(question);
    }),
    { numRuns: 50 },
  );
});

test("S1 any other bytes are no question", () => {
  const bytes = fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ minLength: 37, maxLength: 37 }));
  fc.assert(
    fc.property(bytes, (each) => {
      const question = decodeQuestion(each);
      if (question !== undefined) expect(encodeQuestion(question)).toEqual(Buffer.from(each));
    }),
  );
  const good = encodeQuestion({ takes: 1, cids: [cidOf(new Uint8Array(0), RAW)] });
  expect(decodeQuestion(new Uint8Array(0))).toBeUndefined();
  expect(decodeQuestion(good.subarray(0, 1))).toBeUndefined();
  expect(decodeQuestion(good.subarray(0, 36))).toBeUndefined();
  expect(decodeQuestion(new Uint8Array(37))).toBeUndefined();
  expect(decodeQuestion(Uint8Array.from(good, (byte, i) => (i === 0 ? 5 : byte)))).toBeUndefined();
});
