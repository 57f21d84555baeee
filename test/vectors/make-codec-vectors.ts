/**
 * Golden vectors of the delta codec, for this implementation and others. Run: node test/vectors/make-codec-vectors.ts
 * A change of any byte here is a change of the wire: raise the version in the frame.
 *
 * codec/accepted.json: residual before encoding, frame, decoded delta, norm. Arrays are base64 of little-endian int32.
 * codec/refused.json: frames whose checksum is right and that must be refused, with the code of the verdict.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { SeededRandom, bytesOf, sha256 } from "../../src/core/index.ts";
import { type CodecSettings, decodeDelta, encodeDelta, openDelta } from "../../src/codec/index.ts";

export interface AcceptedVector {
  name: string;
  settings: CodecSettings;
  lengths: number[];
  residual: string;
  frame: string;
  decoded: string;
  norm: number;
}

export interface RefusedVector {
  name: string;
  settings: CodecSettings;
  lengths: number[];
  frame: string;
  code: string;
}

/** Integers only, so that every machine draws the same: near normal, by the sum of eight. */
function residualOf(name: string, count: number, width: number): Int32Array {
  const random = new SeededRandom(name);
  return Int32Array.from({ length: count }, () => {
    let sum = 0;
    for (let i = 0; i < 8; i++) sum += random.below(width) - (width >> 1);
    return sum;
  });
}

function base64(array: ArrayBufferView): string {
  return Buffer.from(bytesOf(array)).toString("base64");
}

function accepted(
  name: string,
  settings: CodecSettings,
  lengths: number[],
  residual: Int32Array,
): AcceptedVector {
  const before = residual.slice();
  const { bytes, norm } = encodeDelta(residual.slice(), lengths, settings);
  const decoded = decodeDelta(bytes, lengths, settings);
  if (decoded.kind !== "accept") throw new Error(decoded.detail);
  return {
    name,
    settings,
    lengths,
    residual: base64(before),
    frame: base64(bytes),
    decoded: base64(decoded.value),
    norm,
  };
}

export function acceptedVectors(): AcceptedVector[] {
  const vectors: AcceptedVector[] = [];
  const lengths = [200, 65, 1];
  for (const keepPerChunk of [16, 64, 1000, 4095, 4096]) {
    for (const valueBits of [2, 4, 8] as const) {
      const name = `keep ${keepPerChunk}, ${valueBits} bits`;
      vectors.push(accepted(name, { keepPerChunk, valueBits }, lengths, residualOf(name, 266, 20_000)));
    }
  }
  const sparse: CodecSettings = { keepPerChunk: 64, valueBits: 2 };
  const dense: CodecSettings = { keepPerChunk: 4096, valueBits: 2 };
  vectors.push(accepted("two chunks of one tensor", sparse, [4196], residualOf("two chunks", 4196, 20_000)));
  vectors.push(accepted("zeros", sparse, [300, 5], new Int32Array(305)));
  vectors.push(accepted("one of 130 is not zero", sparse, [130], new Int32Array(130).fill(-70_000, 77, 78)));
  vectors.push(accepted("ties", sparse, [256], new Int32Array(256).fill(9)));
  vectors.push(
    accepted(
      "small integers, 8 bits",
      { keepPerChunk: 4096, valueBits: 8 },
      [64],
      residualOf("small", 64, 8),
    ),
  );
  const ends = Int32Array.of(-(2 ** 31), 2 ** 31 - 1, 0, 1, -1, 2 ** 30, -(2 ** 30));
  vectors.push(accepted("ends of the range", dense, [7], ends));
  vectors.push(accepted("no tensors", dense, [], new Int32Array(0)));
  return vectors;
}

export function refusedVectors(): RefusedVector[] {
  const sparse: CodecSettings = { keepPerChunk: 64, valueBits: 2 };
  const dense: CodecSettings = { keepPerChunk: 4096, valueBits: 2 };
  const cases: [name: string, settings: CodecSettings, lengths: number[], body: number[]][] = [
    ["a magnitude of exponent 24", dense, [4], [0x00, 0x0c, 0x00, 0x55]],
    ["lo above hi", dense, [4], [0x64, 0x50, 0x06, 0x00]],
    ["minus zero", dense, [4], [0x64, 0x00, 0x00, 0x02]],
    ["second of two equal levels", dense, [4], [0x64, 0x40, 0x06, 0x01]],
    ["padding after codes", dense, [3], [0xc8, 0x40, 0x06, 0x40]],
    ["padding after indices", sparse, [65], [0xc8, 0x40, 0x06, 0x00, 0x21, 0x10]],
    ["padding of codes in a sparse chunk", sparse, [65], [0xc8, 0x40, 0x06, 0x10, 0x21, 0x00]],
    ["an index past the end", sparse, [65], [0xc8, 0x40, 0x06, 0x00, 0xf8, 0x03]],
    ["no codes", dense, [4], [0xc8, 0x40, 0x06]],
    ["no indices", sparse, [65], [0xc8, 0x40, 0x06, 0x00]],
    ["a byte too many", dense, [4], [0x00, 0x00, 0x00, 0x00]],
  ];
  return cases.map(([name, settings, lengths, body]) => {
    const frame = frameAround(settings, lengths, body);
    const verdict = openDelta(frame, lengths, settings);
    if (verdict.kind === "accept") throw new Error(`expected a refusal: ${name}`);
    return { name, settings, lengths, frame: base64(frame), code: verdict.code };
  });
}

/** The head is that of the zero delta; the checksum is made right. */
function frameAround(settings: CodecSettings, lengths: number[], body: number[]): Uint8Array {
  const count = lengths.reduce((sum, length) => sum + length, 0);
  const head = encodeDelta(new Int32Array(count), lengths, settings).bytes.subarray(0, 24);
  const checked = Uint8Array.of(...head, ...body);
  return Uint8Array.of(...checked, ...sha256(checked).subarray(0, 4));
}

if (import.meta.main) {
  const folder = new URL("codec/", import.meta.url);
  mkdirSync(folder, { recursive: true });
  writeFileSync(new URL("accepted.json", folder), `${JSON.stringify(acceptedVectors(), null, 2)}\n`);
  writeFileSync(new URL("refused.json", folder), `${JSON.stringify(refusedVectors(), null, 2)}\n`);
}
