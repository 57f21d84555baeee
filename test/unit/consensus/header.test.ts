import { decode, encode } from "@ipld/dag-cbor";
import fc from "fast-check";
import { CID } from "multiformats/cid";
import { describe, expect, test } from "vitest";
import {
  HEADER_BYTES_MAX,
  type UnsignedHeader,
  encodeHeader,
  idOf,
  parseHeader,
  signingBytes,
} from "../../../src/consensus/index.ts";
import { type ContributionId, DAG_CBOR, type PeerId, SeededRandom, cidOf } from "../../../src/core/index.ts";
import golden from "../../vectors/consensus/header.json" with { type: "json" };
import { type HeaderVector, headerVectors } from "../../vectors/consensus/make-header.ts";
import { textBytes } from "../../support/run-of.ts";

const vectors = golden as unknown as HeaderVector[];
const [, full] = vectors;

function unhex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, "hex"));
}

describe("golden bytes", () => {
  test("F10: the format of version 1 is frozen", () => {
    expect(headerVectors()).toEqual(vectors);
  });

  test.each(vectors)(
    "F10: $name parses to its fields and back to its bytes",
    ({ header, sig, bytes, id, ...rest }) => {
      const verdict = parseHeader(unhex(bytes));
      expect(verdict).toEqual({
        kind: "accept",
        value: { id, header: { ...header, sig: unhex(sig) }, signedBytes: unhex(rest.signingBytes) },
      });
      expect(encodeHeader(header, unhex(sig))).toEqual({ id, bytes: unhex(bytes) });
      expect(idOf(unhex(bytes))).toBe(id);
    },
  );

  test("F10: what is signed names the protocol and leaves out the signature only", () => {
    const { header, bytes } = full;
    const [domain, rest] = [textBytes("starling/1/contribution\n"), signingBytes(header)];
    expect(rest.subarray(0, domain.length)).toEqual(domain);
    const { sig, ...unsigned } = decode<{ sig: Uint8Array }>(unhex(bytes));
    expect(sig).toHaveLength(64);
    expect(decode(rest.subarray(domain.length))).toEqual(unsigned);
  });
});

describe("parseHeader()", () => {
  type Wire = Record<string, unknown>;
  const wire = (): Wire => decode<Wire>(unhex(full.bytes));
  const codeOf = (bytes: Uint8Array): string => {
    const verdict = parseHeader(bytes);
    return verdict.kind === "accept" ? "accept" : `${verdict.kind} ${verdict.code}`;
  };
  const work = (fields: Wire): Wire => ({ work: { ...(wire()["work"] as Wire), ...fields } });
  const links = (...texts: string[]): CID[] =>
    texts.map((text) => CID.parse(cidOf(textBytes(text), DAG_CBOR)));
  const sorted = links("one", "two", "three").toSorted((a, b) => (String(a) < String(b) ? -1 : 1));

  test("F16: 10 MB of junk is refused by its size alone", () => {
    expect(codeOf(new Uint8Array(10_000_000))).toBe("reject HEADER_TOO_LARGE");
    expect(codeOf(new Uint8Array(HEADER_BYTES_MAX + 1))).toBe("reject HEADER_TOO_LARGE");
    expect(codeOf(new Uint8Array(HEADER_BYTES_MAX))).toBe("reject HEADER_MALFORMED");
  });

  const malformed: Record<string, Wire> = {
    "an unknown field": { colour: "red" },
    "another version": { v: 2 },
    "a missing field": { lot: undefined },
    "text for a number": { round: "70000" },
    "a fraction for a count": { round: 1.5 },
    "a negative count": { phase: -1 },
    "a phase above the ladder": { phase: 7 },
    "a number for a link": { run: 7 },
    "a short digest": { start: new Uint8Array(31) },
    "an author who is no Ed25519 key": { author: new Uint8Array(38) },
    "a short signature": { sig: new Uint8Array(63) },
    "unsorted parents": { parents: sorted.toReversed() },
    "duplicate parents": { parents: [sorted[0], ...sorted] },
    "no parents after round 0": { parents: [] },
    "parents in round 0": { round: 0 },
    "unsorted evidence": { evidence: sorted.toReversed() },
    "too much evidence": { evidence: Array.from({ length: 17 }, (_, i) => links(`${i}`)[0]) },
    "a delta without steps": work({ steps: 0, tokens: 0 }),
    "steps without a delta": { delta: null },
    "an empty delta": { delta: { ...(wire()["delta"] as Wire), bytes: 0 } },
    "a loss that is negative": work({ lossLast: -1 }),
    "an engine with control characters": work({ engine: "a\nb" }),
    "an engine with a long name": work({ engine: "a".repeat(65) }),
    "a link of another hash": { supports: CID.parse("QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG") },
  };
  test.each(Object.entries(malformed))("F16: %s is HEADER_MALFORMED", (_, change) => {
    const changed = Object.fromEntries(
      Object.entries({ ...wire(), ...change }).filter(([, value]) => value !== undefined),
    );
    expect(codeOf(encode(changed))).toBe("reject HEADER_MALFORMED");
  });

  test("F16: a verdict quotes a bounded part of what the sender wrote", () => {
    const verdict = parseHeader(encode({ ...wire(), ["x".repeat(30_000)]: 1 }));
    expect(verdict.kind === "reject" && verdict.detail).toMatch(/^field .*x{100}/);
    expect(verdict.kind === "reject" && verdict.detail).toHaveLength(200);
  });

  test("F16: the unchanged wire form passes, so the cases above fail for what they say", () => {
    expect(codeOf(encode(wire()))).toBe("accept");
  });

  test("F16: another encoding of the same fields is no second id", () => {
    const bytes = unhex(full.bytes);
    // The map's head and the first key stay; `v: 1` becomes the two-byte form of 1 (0x18 0x01).
    const at = Buffer.from(bytes).indexOf(Buffer.from([0x61, 0x76, 0x01]));
    const longer = new Uint8Array([...bytes.subarray(0, at + 2), 0x18, 0x01, ...bytes.subarray(at + 3)]);
    expect(at).toBeGreaterThan(0);
    expect(codeOf(longer)).toMatch(/^reject HEADER_(MALFORMED|NOT_CANONICAL)$/);
    const minusZero = encode({ ...wire(), ...work({ lossLast: 0.5 }) });
    const half = Buffer.from(minusZero).indexOf(Buffer.from([0xfb, 0x3f, 0xe0, 0, 0, 0, 0, 0, 0]));
    const zeroed = minusZero.slice();
    zeroed.set([0x80, 0], half + 1);
    expect(half).toBeGreaterThan(0);
    expect(codeOf(zeroed)).toMatch(/^reject HEADER_(MALFORMED|NOT_CANONICAL)$/);
    const threeAsFloat = encode({ ...wire(), ...work({ lossLast: 0.5 }) });
    threeAsFloat.set([0x40, 0x08], half + 1);
    expect(codeOf(threeAsFloat)).toBe("reject HEADER_NOT_CANONICAL");
    expect(codeOf(new Uint8Array([...bytes, 0]))).toBe("reject HEADER_MALFORMED");
  });

  test("1,024 parents fit into a message of gossip", () => {
    const parents = Array.from(
      { length: 1024 },
      (_, i) => cidOf(textBytes(`${i}`), DAG_CBOR) as ContributionId,
    );
    const header: UnsignedHeader = { ...full.header, parents: parents.toSorted() };
    const { bytes } = encodeHeader(header, new Uint8Array(64));
    expect(bytes.length).toBeLessThanOrEqual(HEADER_BYTES_MAX);
    expect(codeOf(bytes)).toBe("accept");
  });

  test("F16: 20,000 mutated headers and random bytes give a verdict, never an exception", () => {
    const random = new SeededRandom("header fuzz");
    const codes = new Map<string, number>();
    for (let i = 0; i < 20_000; i++) {
      const code = codeOf(i % 4 === 0 ? randomBytes(random) : mutated(random, unhex(vectors[i % 2].bytes)));
      codes.set(code, (codes.get(code) ?? 0) + 1);
    }
    // Mutations of free fields, such as roots, still parse; all else must not.
    expect([...codes.keys()].toSorted()).toEqual([
      "accept",
      "reject HEADER_MALFORMED",
      "reject HEADER_NOT_CANONICAL",
    ]);
    expect(codes.get("reject HEADER_MALFORMED")).toBeGreaterThan(10_000);
  });

  test("F16: any DAG-CBOR value gives a verdict, and what is accepted encodes to the same bytes", () => {
    const value = fc.letrec<{ any: unknown }>((tie) => ({
      any: fc.oneof(
        { maxDepth: 3 },
        fc.integer(),
        fc.string(),
        fc.boolean(),
        fc.constant(null),
        fc.uint8Array({ maxLength: 40 }),
        fc.array(tie("any"), { maxLength: 4 }),
        fc.dictionary(fc.string(), tie("any"), { maxKeys: 4 }),
      ),
    })).any;
    const key = fc.constantFrom(...Object.keys(wire()));
    fc.assert(
      fc.property(key, value, (name, replaced) => {
        const bytes = encode({ ...wire(), [name]: replaced });
        const verdict = parseHeader(bytes);
        if (verdict.kind !== "accept") return;
        const { sig, ...header } = verdict.value.header;
        expect(encodeHeader(header, sig).bytes).toEqual(bytes);
      }),
      { numRuns: 300 },
    );
  });

  test("deep nesting is refused like any other junk", () => {
    expect(codeOf(new Uint8Array(HEADER_BYTES_MAX).fill(0x81))).toBe("reject HEADER_MALFORMED");
  });

  test("an id of ours that is no CID is a bug", () => {
    const header = { ...full.header, parents: ["nonsense" as ContributionId] };
    expect(() => signingBytes(header)).toThrow(/assertion failed/);
    expect(() => signingBytes({ ...full.header, author: "0OIl" as PeerId })).toThrow();
  });
});

function randomBytes(random: SeededRandom): Uint8Array {
  return Uint8Array.from({ length: random.below(400) }, () => random.below(256));
}

/** One to four of: a byte changed, a stretch cut out, a stretch doubled. */
function mutated(random: SeededRandom, bytes: Uint8Array): Uint8Array {
  let result = [...bytes];
  for (let n = 1 + random.below(4); n > 0; n--) {
    const at = random.below(result.length);
    const length = 1 + random.below(8);
    switch (random.below(3)) {
      case 0:
        result[at] = random.below(256);
        break;
      case 1:
        result = [...result.slice(0, at), ...result.slice(at + length)];
        break;
      default:
        result = [...result.slice(0, at + length), ...result.slice(at)];
    }
  }
  return Uint8Array.from(result);
}
