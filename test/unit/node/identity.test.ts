import { decode } from "@ipld/dag-cbor";
import { generateKeyPair } from "@libp2p/crypto/keys";
import { peerIdFromPrivateKey } from "@libp2p/peer-id";
import { expect, test } from "vitest";
import { type PeerId, digestOf, digestToBytes } from "../../../src/core/index.ts";
import { signContribution, verifyHeader } from "../../../src/node/keys/identity.ts";
import { hasSmallOrder } from "../../../src/node/keys/small-order.ts";
import refused from "../../vectors/protocol/refused-header.json" with { type: "json" };
import type { RefusedHeaderVector } from "../../vectors/protocol/header.ts";
import { aDraft } from "../../support/draft.ts";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const digest = digestOf(bytesOf("digest"));
const key = await generateKeyPair("Ed25519");
const author = peerIdFromPrivateKey(key).toString() as PeerId;

const draft = aDraft(author);

test("F7 the same draft is signed to the same bytes, and they verify", async () => {
  const signed = await signContribution(draft, key);
  expect((await signContribution(draft, key)).bytes).toEqual(signed.bytes);
  const verdict = await verifyHeader(signed.bytes);
  expect(verdict).toMatchObject({ kind: "accept", value: { id: signed.id } });
});

test("a lot opens what the contribution before had promised", async () => {
  const first = await signContribution(draft, key);
  const parents = [first.id];
  const next = await signContribution(
    {
      ...draft,
      round: 1,
      parents,
      previous: {
        ...first,
        view: undefined as never,
        lineage: undefined as never,
        convicts: [],
        place: 0,
        authorNumber: 0,
      },
    },
    key,
  );
  expect(first.header.lot.reveal).toBeNull();
  expect(digestOf(digestToBytes(next.header.lot.reveal ?? digest))).toBe(first.header.lot.next);
});

test("F16 a header signed by somebody else, or changed afterwards, is refused", async () => {
  const stranger = await generateKeyPair("Ed25519");
  const forged = await signContribution(draft, stranger);
  expect(await verifyHeader(forged.bytes)).toMatchObject({ kind: "reject", code: "HEADER_SIGNATURE" });

  const { bytes } = await signContribution(draft, key);
  const codes = new Set<string>();
  for (let at = 0; at < bytes.length; at++) {
    const changed = Uint8Array.from(bytes);
    changed[at] = (changed[at] as number) ^ 1;
    const verdict = await verifyHeader(changed);
    codes.add(verdict.kind === "accept" ? `accepted at ${at}` : verdict.code);
  }
  expect([...codes].sort()).toEqual(["HEADER_MALFORMED", "HEADER_NOT_CANONICAL", "HEADER_SIGNATURE"]);
});

test("F16 an author whose key is no point of the curve gets a verdict", async () => {
  const zero = "12D3KooW9pNAk8aiBuGVQtWRdbkLmo5qVL3e2h5UxbN2Nz9ttwiw" as PeerId;
  const { bytes } = await signContribution({ ...draft, author: zero }, key);
  expect(await verifyHeader(bytes)).toMatchObject({ kind: "reject", code: "HEADER_SIGNATURE" });
});

test.each(["a key of small order", "a signature whose R is of small order"])(
  "R7: %s is refused, whatever the library thinks of it",
  async (name) => {
    const vector = refused.find((each) => each.name === name) as RefusedHeaderVector;
    const bytes = Buffer.from(vector.bytes, "hex");
    const { author, sig } = decode<{ author: Uint8Array; sig: Uint8Array }>(bytes);
    expect(hasSmallOrder(author.subarray(6)) || hasSmallOrder(sig.subarray(0, 32))).toBe(true);
    expect(await verifyHeader(new Uint8Array(bytes))).toMatchObject({
      kind: "reject",
      code: "HEADER_SIGNATURE",
    });
  },
);
