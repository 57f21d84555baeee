/** A contribution as it travels between simulated nodes: header and body, opened and checked once for all of them. */
import {
  type CodecSchedule,
  type CodecSettings,
  type DeltaReader,
  openDelta,
} from "../../src/codec/index.ts";
import { type Header, type UnsignedHeader, encodeHeader, parseHeader } from "../../src/consensus/index.ts";
import { type ContributionId, DAG_CBOR, assert, cidOf } from "../../src/core/index.ts";
import { textBytes } from "./run-of.ts";

/** A delta, and the settings that it was encoded with. */
export interface Body {
  readonly bytes: Uint8Array;
  readonly codec: CodecSettings;
}

interface Contents {
  readonly id: ContributionId;
  readonly header: Header;
  readonly headerBytes: number;
  /** Index of the node that made it. */
  readonly maker: number;
  readonly body: Body | null;
  /** The body, opened; null without a body. */
  readonly reader: DeltaReader | null;
}

export interface Message {
  readonly parcel: Parcel;
  readonly part: "header" | "body";
  readonly bytes: number;
}

export class Parcel implements Contents {
  readonly id: ContributionId;
  readonly header: Header;
  readonly headerBytes: number;
  readonly maker: number;
  readonly body: Body | null;
  readonly reader: DeltaReader | null;
  // What travels of it, made once: millions of messages are on their way in a large flock.
  readonly asHeader: Message;
  readonly asBody: Message;

  constructor({ id, header, headerBytes, maker, body, reader }: Contents) {
    this.id = id;
    this.header = header;
    this.headerBytes = headerBytes;
    this.maker = maker;
    this.body = body;
    this.reader = reader;
    this.asHeader = { parcel: this, part: "header", bytes: headerBytes };
    this.asBody = { parcel: this, part: "body", bytes: body?.bytes.length ?? 0 };
  }
}

/** What a delta looks like in a simulation. */
export interface Shape {
  /** Elements of each tensor. */
  readonly lengths: readonly number[];
  readonly codec: CodecSchedule;
}

const NO_SIGNATURE = new Uint8Array(64);
/** With more parents, encoding one header takes milliseconds, and a large flock makes tens of thousands. */
const PARENTS_ENCODED_MAX = 64;
/** A CID as a DAG-CBOR link: tag, length, 0x00 and 36 bytes. */
const LINK_BYTES = 41;

/** Signatures are off; all else of the header is real, and is encoded and parsed again as on the wire. */
export function seal(
  unsigned: UnsignedHeader,
  body: Body | null,
  { maker, shape }: { maker: number; shape: Shape },
): Parcel {
  const { id, header, headerBytes } =
    unsigned.parents.length <= PARENTS_ENCODED_MAX ? encoded(unsigned) : named(unsigned);
  return new Parcel({ id, header, headerBytes, maker, body, reader: body && open(body, header, shape) });
}

function encoded(unsigned: UnsignedHeader): Pick<Contents, "id" | "header" | "headerBytes"> {
  const { bytes } = encodeHeader(unsigned, NO_SIGNATURE);
  const parsed = parseHeader(bytes);
  assert(parsed.kind === "accept", `a header of ours parses: ${JSON.stringify(parsed)}`);
  return { id: parsed.value.id, header: parsed.value.header, headerBytes: bytes.length };
}

const digests = new WeakMap<readonly ContributionId[], ContributionId>();

/** The same header under the name that it would have if it listed a digest of its parents instead of them. */
function named(unsigned: UnsignedHeader): Pick<Contents, "id" | "header" | "headerBytes"> {
  const { parents } = unsigned;
  const digest = digests.get(parents) ?? (cidOf(textBytes(parents.join()), DAG_CBOR) as ContributionId);
  digests.set(parents, digest);
  const { id, bytes } = encodeHeader({ ...unsigned, parents: [digest] }, NO_SIGNATURE);
  const headerBytes = bytes.length + LINK_BYTES * (parents.length - 1);
  return { id, header: { ...unsigned, sig: NO_SIGNATURE }, headerBytes };
}

function open({ bytes, codec }: Body, { delta }: Header, { lengths }: Shape): DeltaReader {
  const opened = openDelta(bytes, lengths, codec);
  assert(opened.kind === "accept" && opened.value.norm === delta?.norm, "a delta of ours opens");
  return opened.value;
}
