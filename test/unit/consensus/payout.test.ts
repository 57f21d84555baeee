import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Address,
  type Payout,
  authorKey,
  latestPayouts,
  parseAddress,
  parsePayout,
  payoutSigningBytes,
} from "../../../src/consensus/index.ts";
import { assert, sha256 } from "../../../src/core/index.ts";
import { peerOf, runIdOf, textBytes } from "../../support/run-of.ts";

const address = fc.uint8Array({ minLength: 20, maxLength: 20 }).map((bytes) => {
  const parsed = parseAddress(`0x${Buffer.from(bytes).fill(1, 0, 1).toString("hex")}`);
  assert(parsed !== undefined, "any 20 bytes but zeros are an address");
  return parsed;
});

const sig = Buffer.alloc(64, 7).toString("base64");
const record: Payout = {
  v: 1,
  run: runIdOf("run"),
  author: peerOf("ada"),
  address: "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed" as Address,
  sequence: 3,
  sig,
};

describe("parseAddress()", () => {
  // The test cases of EIP-55 itself.
  test.each([
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
    "0xde709f2102306220921060314715629080e2fb77",
    "0x27b1fdb04752bbc536007a920d24acb045561c26",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
  ])("R9 %s is EIP-55, and so it comes back from one case", (text) => {
    expect(parseAddress(text)).toBe(text);
    expect(parseAddress(text.toLowerCase())).toBe(text);
    expect(parseAddress(`0x${text.slice(2).toUpperCase()}`)).toBe(text);
  });

  test("R9 one letter in the wrong case is a typing error", () => {
    const text = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
    for (let at = 2; at < text.length; at++) {
      const letter = text.charAt(at);
      const other = letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase();
      if (other !== letter)
        expect(parseAddress(text.slice(0, at) + other + text.slice(at + 1))).toBeUndefined();
    }
  });

  test.each([
    "",
    "0x",
    "5aaeb6053f3e94c9b9a09f33669435e7ef1beaed",
    `0x${"0".repeat(40)}`,
    `0x${"1".repeat(41)}`,
  ])("%j is none", (text) => expect(parseAddress(text)).toBeUndefined());
});

describe("parsePayout()", () => {
  test("R9 takes what JSON makes of a record", () => {
    expect(parsePayout(JSON.parse(JSON.stringify(record)))).toEqual({ kind: "accept", value: record });
  });

  test.each([
    ["another version", { v: 2 }],
    ["no CID", { run: "run" }],
    ["no peer id", { author: "ada" }],
    ["another kind of key", { author: "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N" }],
    ["an address without its checksum", { address: record.address.toLowerCase() }],
    ["sequence 0", { sequence: 0 }],
    ["a fraction", { sequence: 1.5 }],
    ["a short signature", { sig: Buffer.alloc(63).toString("base64") }],
    ["a signature in other base64", { sig: `${sig} ` }],
    ["an unknown field", { memo: "thanks" }],
  ])("F16 %s is malformed", (_, change) => {
    expect(parsePayout({ ...record, ...change })).toMatchObject({ kind: "reject", code: "PAYOUT_MALFORMED" });
  });

  test("F16 any JSON gets a verdict", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(parsePayout(value).kind).toBe("reject");
      }),
    );
  });
});

test("R9 the signed bytes are the domain and canonical DAG-CBOR, byte for byte", () => {
  const bytes = Buffer.from(payoutSigningBytes(record));
  expect(bytes.subarray(0, 18).toString()).toBe("starling/1/payout\n");
  // Map of five, keys by length: "v" 1, "run" a link, "author" 38 bytes, "address" 20 bytes, "sequence" 3.
  const key = Buffer.from(authorKey(record.author) ?? []).toString("hex");
  const link = Buffer.from(sha256(textBytes("run"))).toString("hex");
  const cbor = [
    ["a5", "6176", "01"],
    ["6372756e", "d82a5825", "0001551220", link],
    ["66617574686f72", "5826", "002408011220", key],
    ["6761646472657373", "54", record.address.slice(2).toLowerCase()],
    ["6873657175656e6365", "03"],
  ];
  expect(bytes.subarray(18).toString("hex")).toBe(cbor.flat().join(""));
});

test("R9 the highest sequence holds, whatever the order in which records come", () => {
  const some = fc.record({
    author: fc.constantFrom("ada", "bob"),
    address,
    sequence: fc.integer({ min: 1, max: 3 }),
  });
  fc.assert(
    fc.property(fc.array(some, { maxLength: 12 }), fc.infiniteStream(fc.nat()), (drafts, keys) => {
      const records = drafts.map(({ author, ...rest }) => ({ ...record, ...rest, author: peerOf(author) }));
      const shuffled = records
        .map((each) => ({ each, key: keys.next().value }))
        .sort((a, b) => Number(a.key) - Number(b.key))
        .map(({ each }) => each);
      const latest = latestPayouts(records);
      expect(new Map(latestPayouts(shuffled))).toEqual(new Map(latest));
      for (const { author, sequence } of records)
        expect(latest.get(author)?.sequence).toBeGreaterThanOrEqual(sequence);
    }),
  );
});
