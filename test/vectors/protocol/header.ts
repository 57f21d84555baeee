/**
 * header.json: headers with real signatures: two rounds of one author, the second opening the first one's lot, and a
 * closing. refused-header.json: bytes that must be refused, with the code of the verdict.
 */
import { decode, encode } from "@ipld/dag-cbor";
import { CID } from "multiformats/cid";
import { hash } from "node:crypto";
import { type Header, batchSeed, signingBytes } from "../../../src/consensus/index.ts";
import { type ContributionId, DAG_CBOR, RAW, type RunId, cidOf } from "../../../src/core/index.ts";
import { signContribution, verifyHeader } from "../../../src/node/keys/identity.ts";
import { digestOfText, textBytes } from "../../support/run-of.ts";
import { type Keyed, hex, keyOf } from "./support.ts";

export interface HeaderVector {
  name: string;
  /** The author's private key, 32 bytes, hex. */
  secret: string;
  header: Omit<Header, "sig"> & { sig: string };
  /** What travels, hex. */
  bytes: string;
  id: string;
  /** What is signed, hex. */
  signingBytes: string;
}

export interface RefusedHeaderVector {
  name: string;
  bytes: string;
  code: string;
}

type Draft = Parameters<typeof signContribution>[0];
type Signed = Awaited<ReturnType<typeof signContribution>>;

const run = cidOf(textBytes("vector run"), DAG_CBOR) as RunId;
const start = digestOfText("vector start");

function draftOf({ peer }: Keyed, before: Signed | undefined, steps: number): Draft {
  const round = before === undefined ? 0 : before.header.round + 1;
  const settled = { round: 0, root: digestOfText("vector settled") };
  return {
    v: 1,
    run,
    phase: 0,
    round,
    author: peer,
    parents:
      before === undefined
        ? []
        : ([before.id, cidOf(textBytes("another"), DAG_CBOR)].toSorted() as ContributionId[]),
    settled,
    start,
    delta: steps === 0 ? null : { cid: cidOf(textBytes(`delta ${round}`), RAW), bytes: 7, norm: 123_456_789 },
    work: {
      steps,
      tokens: 128 * steps,
      lossFirst: steps === 0 ? null : 5.5,
      lossLast: steps === 0 ? null : 3,
      data: batchSeed(settled.root, round, peer),
      stateBefore: before?.header.work.stateAfter ?? digestOfText("vector zero"),
      stateAfter: digestOfText(`vector state ${round}`),
      engine: "cpu",
    },
    evidence: [],
    supports: null,
    previous: before === undefined ? undefined : ({ id: before.id, header: before.header } as never),
  };
}

async function signedRounds(ada: Keyed): Promise<[Signed, Signed, Signed]> {
  const first = await signContribution(draftOf(ada, undefined, 5), ada.key);
  const second = await signContribution(draftOf(ada, first, 40), ada.key);
  const closing = await signContribution(draftOf(ada, second, 0), ada.key);
  return [first, second, closing];
}

export async function headerVectors(): Promise<HeaderVector[]> {
  const ada = await keyOf("ada");
  const [first, second, closing] = await signedRounds(ada);
  return Object.entries({ first, second, closing }).map(([name, { id, header, bytes }]) => {
    const { sig, ...unsigned } = header;
    return {
      name,
      secret: ada.secret,
      header: { ...unsigned, sig: hex(sig) },
      bytes: hex(bytes),
      id,
      signingBytes: hex(signingBytes(unsigned)),
    };
  });
}

type Wire = Record<string, unknown> & {
  author: Uint8Array;
  sig: Uint8Array;
  work: Record<string, unknown>;
  parents: CID[];
};

export async function refusedHeaderVectors(): Promise<RefusedHeaderVector[]> {
  const ada = await keyOf("ada");
  const [, { bytes }] = await signedRounds(ada);
  const wire = (): Wire => decode<Wire>(bytes);
  const flipped = wire().sig.map((byte, i) => (i === 40 ? byte ^ 1 : byte));
  const cases: Record<string, Uint8Array> = {
    "too large": new Uint8Array(65_536),
    "no bytes": new Uint8Array(0),
    "not DAG-CBOR": Uint8Array.of(0xff),
    "a byte behind the end": Uint8Array.of(...bytes, 0),
    "an unknown field": encode({ ...wire(), leader: 1 }),
    "another version": encode({ ...wire(), v: 2 }),
    "a phase above 6": encode({ ...wire(), phase: 7 }),
    "round 0 with parents": encode({ ...wire(), round: 0 }),
    "parents out of order": encode({ ...wire(), parents: wire().parents.toReversed() }),
    "one parent twice": encode({ ...wire(), parents: [wire().parents[0], wire().parents[0]] }),
    "a delta of a closing": encode({ ...wire(), work: { ...wire().work, steps: 0 } }),
    "an engine of two lines": encode({ ...wire(), work: { ...wire().work, engine: "a\nb" } }),
    "a negative loss": encode({ ...wire(), work: { ...wire().work, lossLast: -1 } }),
    "a link to another hash": encode({
      ...wire(),
      run: CID.parse("QmbWqxBEKC3P8tqsKc98xmWNzrzDtRLMiMPL8wBuTGsMnR"),
    }),
    "a short signature": encode({ ...wire(), sig: wire().sig.subarray(1) }),
    "3 as a float": floatOf3(bytes),
    "another signature": encode({ ...wire(), sig: flipped }),
    "another round under the signature": encode({ ...wire(), round: 2 }),
    "a key of small order": smallOrderKey(wire()),
    "a signature whose R is of small order": smallOrderCommitment(wire(), ada),
  };
  return Promise.all(
    Object.entries(cases).map(async ([name, refused]) => {
      const verdict = await verifyHeader(refused);
      if (verdict.kind === "accept") throw new Error(`expected a refusal: ${name}`);
      return { name, bytes: name === "too large" ? "" : hex(refused), code: verdict.code };
    }),
  );
}

/** The same fields, but lossLast, which is 3, as a 64-bit float: a second encoding of one header. */
function floatOf3(bytes: Uint8Array): Uint8Array {
  const key = Buffer.from("lossLast");
  const at = Buffer.from(bytes).indexOf(key) + key.length;
  if (bytes[at] !== 3) throw new Error("expected lossLast 3");
  return Uint8Array.of(
    ...bytes.subarray(0, at),
    0xfb,
    0x40,
    0x08,
    0,
    0,
    0,
    0,
    0,
    0,
    ...bytes.subarray(at + 1),
  );
}

const GROUP_ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
/** The encoding of the neutral element, which has order 1, and of the base point. */
const NEUTRAL = Uint8Array.of(1, ...new Uint8Array(31));
const BASE = Uint8Array.of(0x58, ...new Uint8Array(31).fill(0x66));

/** With A neutral, S = 1 and R = B hold for every message: S B = R + h A. */
function smallOrderKey(wire: Wire): Uint8Array {
  const author = Uint8Array.of(...wire.author.subarray(0, 6), ...NEUTRAL);
  return encode({ ...wire, author, sig: Uint8Array.of(...BASE, ...littleEndian(1n)) });
}

/** Signed with the nonce 0: R is neutral, S = h a. It gives the key away, but keys are free. */
function smallOrderCommitment(wire: Wire, { secret }: Keyed): Uint8Array {
  const unsigned: Partial<Wire> = { ...wire };
  delete unsigned.sig;
  const message = Uint8Array.of(...textBytes("starling/1/contribution\n"), ...encode(unsigned));
  const key = (unsigned["author"] as Uint8Array).subarray(6);
  const scalar = fromLittleEndian(sha512(Buffer.from(secret, "hex")).subarray(0, 32));
  const a = (scalar & ((1n << 254n) - 8n)) | (1n << 254n);
  const h = fromLittleEndian(sha512(Uint8Array.of(...NEUTRAL, ...key, ...message)));
  return encode({ ...unsigned, sig: Uint8Array.of(...NEUTRAL, ...littleEndian((h * a) % GROUP_ORDER)) });
}

function sha512(bytes: Uint8Array): Uint8Array {
  return hash("sha512", bytes, "buffer");
}

function fromLittleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${hex(bytes.toReversed())}`);
}

function littleEndian(number: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, i) => Number((number >> BigInt(8 * i)) & 255n));
}
