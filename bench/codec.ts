/**
 * How fast the codec is: milliseconds and MB/s of float32 parameters, to encode one delta and to check and add up 16,
 * the work of one round among 17 peers. Run: node bench/codec.ts [parameters]
 */
import { CHUNK_LENGTH, type CodecSettings, encodeDelta, openDelta } from "../src/codec/index.ts";
import { SeededRandom, systemClock } from "../src/core/index.ts";

const PEERS = 16;
const count = Number(process.argv[2] ?? 25_000_000);
const lengths = [count - (count >> 2) - 513, count >> 2, 513];

/** Nearly normal (sum of four uniforms), repeated: drawing every element would take longer than the codec. */
function residualOf(seed: string): Int32Array {
  const random = new SeededRandom(seed);
  const pattern = Int32Array.from({ length: 1_000_003 }, () => {
    const unit = random.unit() + random.unit() + random.unit() + random.unit() - 2;
    return Math.round(52_000 * unit);
  });
  const residual = new Int32Array(count); // (P,)
  for (let at = 0; at < count; at += pattern.length) {
    residual.set(pattern.subarray(0, Math.min(pattern.length, count - at)), at);
  }
  return residual;
}

function report(name: string, ms: number, deltas: number): void {
  const megabytes = (4 * count * deltas) / 1e6;
  console.log(
    `${name.padEnd(44)} ${ms.toFixed(0).padStart(6)} ms ${((1000 * megabytes) / ms).toFixed(0).padStart(7)} MB/s`,
  );
}

function bench(name: string, settings: CodecSettings): void {
  const residual = residualOf(name);
  const started = systemClock.nowMs();
  const { bytes } = encodeDelta(residual, lengths, settings);
  report(`${name}: encode`, systemClock.nowMs() - started, 1);

  const opening = systemClock.nowMs();
  const readers = Array.from({ length: PEERS }, () => {
    const verdict = openDelta(bytes, lengths, settings);
    if (verdict.kind !== "accept") throw new Error(verdict.detail);
    return verdict.value;
  });
  report(`${name}: open ${PEERS}`, systemClock.nowMs() - opening, PEERS);

  const adding = systemClock.nowMs();
  const acc = new Float64Array(CHUNK_LENGTH);
  let sum = 0;
  for (let length = CHUNK_LENGTH; length > 0;) {
    acc.fill(0);
    for (const reader of readers) length = reader.addNextChunk(acc, 65_536);
    sum += acc[0];
  }
  report(`${name}: add ${PEERS}`, systemClock.nowMs() - adding, PEERS);
  console.log(
    `  ${bytes.length} bytes, ${((4 * count) / bytes.length).toFixed(1)}x smaller than float32 (sum ${sum})`,
  );
}

console.log(`${count} parameters, Node ${process.version}`);
bench("density 1/64, 2 bits", { keepPerChunk: 64, valueBits: 2 });
bench("dense, 2 bits", { keepPerChunk: 4096, valueBits: 2 });
