/** What strangers may send: whatever it is, it gets a verdict, and costs no more memory than our own layout allows. */
import { describe, expect, it } from "vitest";
import { SeededRandom } from "../../../src/core/index.ts";
import {
  CHUNK_LENGTH,
  type CodecSettings,
  deltaBytesMax,
  encodeDelta,
  openDelta,
} from "../../../src/codec/index.ts";
import { chunkCount } from "../../../src/codec/layout.ts";
import { KEEPS, VALUE_BITS, frameOf, normalResidual, resealed, slowNorm } from "./support.ts";

const FRAMES = 100_000;
/** Of `openDelta`: scratch for one chunk, whatever the layout. */
const SCRATCH_BYTES_MAX = 20_000;
const SETTINGS: readonly CodecSettings[] = KEEPS.flatMap((keepPerChunk) =>
  VALUE_BITS.map((valueBits) => ({ keepPerChunk, valueBits })),
);

describe("hostile frames", () => {
  it(`R1 F16: ${FRAMES} mutated and random frames: a verdict each, no throw, nothing not finite, bounded memory`, () => {
    const random = new SeededRandom("hostile frames");
    const lengths = [150, 65, 1];
    const valid = SETTINGS.map((settings, i) => {
      const residual = normalResidual(`hostile ${i}`, 216, i % 3 === 0 ? 3 : 30_000);
      return encodeDelta(residual, lengths, settings).bytes;
    });
    const seen = new Map<string, number>();
    const acc = new Float64Array(CHUNK_LENGTH);
    let bytesMost = 0;
    for (let run = 0; run < FRAMES; run++) {
      const pick = random.below(valid.length);
      const settings = SETTINGS[pick];
      const frame = mutate(valid[pick], random);
      const { result: opened, bytes } = countingBytes(() => openDelta(frame, lengths, settings));
      bytesMost = Math.max(bytesMost, bytes);
      const code = opened.kind === "accept" ? "accept" : opened.code;
      seen.set(code, (seen.get(code) ?? 0) + 1);
      if (opened.kind !== "accept") continue;
      const { value: reader } = opened;
      const delta: number[] = [];
      for (;;) {
        const length = reader.addNextChunk(acc.fill(0), 1);
        if (length === 0) break;
        delta.push(...acc.subarray(0, length));
      }
      const isSound =
        delta.length === 216 &&
        delta.every((x) => Number.isInteger(x) && Math.abs(x) < 2 ** 30) &&
        reader.norm === slowNorm(Int32Array.from(delta)) &&
        frame.length <= deltaBytesMax(lengths, settings);
      if (!isSound)
        expect.fail(`frame ${run} is accepted and not sound: ${Buffer.from(frame).toString("hex")}`);
    }
    expect(bytesMost).toBeLessThanOrEqual(SCRATCH_BYTES_MAX);
    // The frames reached every check there is, and some pass.
    const codes = ["SIZE", "MAGIC", "VERSION", "SETTINGS", "LAYOUT", "CHECKSUM"];
    codes.push("MAGNITUDE", "CODE", "PADDING", "INDEX", "TRUNCATED");
    expect([...seen.keys()].sort()).toEqual(["accept", ...codes.map((code) => `DELTA_${code}`)].sort());
    expect(Math.min(...seen.values())).toBeGreaterThan(50);
  });

  it("R1 F16: a frame that claims 2^60 parameters, or is as long as may be, takes scratch and 2 bytes per chunk", () => {
    const lengths = [3_000_000, 5];
    const bytesMax = SCRATCH_BYTES_MAX + 2 * chunkCount(lengths);
    for (const settings of SETTINGS) {
      const longest = frameOf(
        lengths,
        settings,
        Array<number>(deltaBytesMax(lengths, settings) - 28).fill(255),
      );
      const boastful = longest.slice();
      boastful[15] = 16;
      for (const frame of [
        longest,
        resealed(boastful),
        encodeDelta(new Int32Array(3_000_005), lengths, settings).bytes,
      ]) {
        const before = process.memoryUsage().arrayBuffers;
        const { result, bytes } = countingBytes(() => openDelta(frame, lengths, settings));
        const grown = process.memoryUsage().arrayBuffers - before;
        expect(["accept", "reject"]).toContain(result.kind);
        expect(bytes).toBeLessThanOrEqual(bytesMax);
        // What the process itself says; the checksum's buffers are not ours to count.
        expect(grown).toBeLessThanOrEqual(bytesMax + 4096);
      }
    }
  });
});

const COUNTED = [
  "ArrayBuffer",
  "Uint8Array",
  "Uint16Array",
  "Int32Array",
  "Float64Array",
  "BigUint64Array",
] as const;

/** Bytes of all arrays that `work` makes with `new`; views of what is there already cost nothing. */
function countingBytes<T>(work: () => T): { result: T; bytes: number } {
  const world = globalThis as unknown as Record<string, new (...args: unknown[]) => { byteLength: number }>;
  const originals = COUNTED.map((name) => world[name]);
  let bytes = 0;
  for (const name of COUNTED) {
    world[name] = new Proxy(world[name], {
      construct(target, args, newTarget) {
        const made = Reflect.construct(target, args, newTarget) as { byteLength: number };
        if (!(args[0] instanceof ArrayBuffer)) bytes += made.byteLength;
        return made;
      },
    });
  }
  try {
    return { result: work(), bytes };
  } finally {
    COUNTED.forEach((name, i) => (world[name] = originals[i]));
  }
}

/** One of: bits flipped, a byte set, cut, grown, two parts swapped, all random; mostly with the checksum made right. */
function mutate(frame: Uint8Array, random: SeededRandom): Uint8Array {
  let copy = frame.slice();
  const kind = random.below(6);
  if (kind === 0) {
    for (let flips = 1 + random.below(4); flips > 0; flips--) {
      const at = random.below(copy.length);
      copy[at] ^= 1 << random.below(8);
    }
  } else if (kind === 1) copy[24 + random.below(copy.length - 24)] = random.below(256);
  else if (kind === 2) copy = copy.slice(0, random.below(copy.length));
  else if (kind === 3)
    copy = Uint8Array.of(...copy, ...Array.from({ length: 1 + random.below(8) }, () => random.below(256)));
  else if (kind === 4)
    copy.copyWithin(24 + random.below(copy.length - 24), 24 + random.below(copy.length - 24));
  else for (let at = random.below(2) * 24; at < copy.length; at++) copy[at] = random.below(256);
  return random.below(4) === 0 ? copy : resealed(copy);
}
