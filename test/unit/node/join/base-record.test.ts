import { decode, encode } from "@ipld/dag-cbor";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ruleSchema } from "../../../../src/consensus/index.ts";
import { decodeBase, encodeBase } from "../../../../src/node/join/base-record.ts";
import { baseVectors } from "../../../vectors/protocol/base.ts";

const vector = await baseVectors();
const { run, settleDepth, weightWindow } = vector;
const phase = { run, rule: ruleSchema.parse({ settleDepth, weightWindow }) };
const bytes = new Uint8Array(Buffer.from(vector.bytes, "hex"));

test("S2 a record says the root of its own state, and is the same bytes again", () => {
  const decoded = decodeBase(bytes, phase);
  if (decoded.kind !== "accept") throw new Error(decoded.detail);
  expect(decoded.value.base.root).toBe(vector.root);
  expect(decoded.value.weights).toBe(vector.weights);
  expect(Buffer.compare(encodeBase(decoded.value), bytes)).toBe(0);
});

test("S2 whatever of the accounts or the weights is changed, the root is another", () => {
  const record = decode<{ accounts: { tokens: number }; weightsRoot: Uint8Array; round: number }>(bytes);
  const changed = [
    { ...record, round: record.round + 1 },
    { ...record, accounts: { ...record.accounts, tokens: 1 } },
    { ...record, weightsRoot: record.weightsRoot.map((byte) => byte ^ 1) },
  ];
  for (const each of changed) {
    const decoded = decodeBase(encode(each), phase);
    expect(decoded.kind === "accept" && decoded.value.base.root).not.toBe(vector.root);
  }
});

test("S2 any bytes, and any record with bytes changed, are a verdict and never an exception", () => {
  const mutated = fc.tuple(fc.nat({ max: bytes.length - 1 }), fc.nat({ max: 255 })).map(([at, byte]) => {
    const copy = bytes.slice();
    copy[at] = byte;
    return copy;
  });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array(), mutated), (any) => {
      expect(["accept", "reject"]).toContain(decodeBase(any, phase).kind);
    }),
    { numRuns: 500 },
  );
  const { roots, ...rest } = decode<{ roots: Uint8Array[] }>(bytes);
  const short = decodeBase(encode({ ...rest, roots: roots.slice(1) }), phase);
  expect(short).toMatchObject({ kind: "reject", code: "BASE_MALFORMED" });
});
