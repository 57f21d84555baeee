/**
 * Makes header.json beside it: two fixed headers, their bytes, ids and what is signed. These bytes are the format of
 * version 1: when they change, the version must. Run with `node test/vectors/consensus/make-header.ts`.
 */
import { writeFileSync } from "node:fs";
import { type UnsignedHeader, encodeHeader, signingBytes } from "../../../src/consensus/index.ts";
import { type ContributionId, DAG_CBOR, RAW, type RunId, cidOf } from "../../../src/core/index.ts";
import { digestOfText, peerOf, textBytes } from "../../support/run-of.ts";

export interface HeaderVector {
  readonly name: string;
  readonly header: UnsignedHeader;
  /** Hex. */
  readonly sig: string;
  readonly bytes: string;
  readonly id: string;
  readonly signingBytes: string;
}

const first: UnsignedHeader = {
  v: 1,
  run: cidOf(textBytes("golden run"), DAG_CBOR) as RunId,
  phase: 0,
  round: 0,
  author: peerOf("golden author"),
  parents: [],
  settled: { round: 0, root: digestOfText("golden start") },
  start: digestOfText("golden weights"),
  delta: null,
  work: {
    steps: 0,
    tokens: 0,
    lossFirst: null,
    lossLast: null,
    data: digestOfText("golden batches"),
    stateBefore: digestOfText("golden zero"),
    stateAfter: digestOfText("golden zero"),
    engine: "",
  },
  evidence: [],
  supports: null,
  lot: { reveal: null, next: digestOfText("golden promise") },
};

const full: UnsignedHeader = {
  ...first,
  phase: 3,
  round: 70_000,
  parents: ["one", "two", "three"]
    .map((text) => cidOf(textBytes(text), DAG_CBOR) as ContributionId)
    .toSorted(),
  settled: { round: 69_992, root: digestOfText("golden settled") },
  delta: { cid: cidOf(textBytes("golden delta"), RAW), bytes: 1_048_577, norm: 9_007_199_254_740_991 },
  work: {
    ...first.work,
    steps: 500,
    tokens: 16_384_000,
    lossFirst: 3.25,
    lossLast: 3,
    stateAfter: digestOfText("golden moments"),
    engine: "onnx/1.30.0 cpu",
  },
  evidence: [cidOf(textBytes("golden verdict"), DAG_CBOR)],
  supports: cidOf(textBytes("golden successor"), DAG_CBOR),
  lot: { reveal: digestOfText("golden secret"), next: digestOfText("golden next") },
};

export function headerVectors(): HeaderVector[] {
  const sig = Uint8Array.from({ length: 64 }, (_, i) => i);
  return Object.entries({ first, full }).map(([name, header]) => {
    const { bytes, id } = encodeHeader(header, sig);
    return { name, header, sig: hex(sig), bytes: hex(bytes), id, signingBytes: hex(signingBytes(header)) };
  });
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

if (import.meta.main) {
  writeFileSync(new URL("header.json", import.meta.url), `${JSON.stringify(headerVectors(), null, 2)}\n`);
}
