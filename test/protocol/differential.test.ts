/**
 * Two implementations, one judgement: bytes that no vector has, from valid ones by a few changes, must be accepted by both
 * or by neither, and mean the same. Which of two reasons for a refusal is found first is free (docs/protocol.md, 1).
 */
import { expect, test } from "vitest";
import { type CodecSettings, decodeDelta, encodeDelta, openDelta } from "../../src/codec/index.ts";
import { SeededRandom, bytesOf, digestOf, sha256 } from "../../src/core/index.ts";
import { verifyHeader } from "../../src/node/keys/identity.ts";
import golden from "../vectors/protocol/header.json" with { type: "json" };
import { lacksPython, python } from "./python.ts";

const HEADERS = 400;
const FRAMES = 1500;
const LENGTHS = [200, 65, 1];

test.skipIf(lacksPython)("R7: two implementations accept the same headers", async () => {
  const random = new SeededRandom("headers");
  const cases = Array.from({ length: HEADERS }, (_, i) => {
    return mutated(random, new Uint8Array(Buffer.from(golden[i % golden.length].bytes, "hex")));
  });
  const input = cases
    .map((bytes) => JSON.stringify({ header: Buffer.from(bytes).toString("hex") }))
    .join("\n");
  const { lines } = python("judge.py", { input });
  const ours = await Promise.all(
    cases.map(async (bytes) => {
      const verdict = await verifyHeader(bytes);
      return verdict.kind === "accept" ? `accept ${verdict.value.id}` : verdict.code;
    }),
  );
  expect(lines.map(kindOf)).toEqual(ours.map(kindOf));
  // Enough of them are well-formed, so that fields and not only framing were compared.
  expect(ours.filter((line) => line === "HEADER_SIGNATURE").length).toBeGreaterThan(HEADERS / 10);
});

test.skipIf(lacksPython)("R7: two implementations accept the same frames and read the same integers", () => {
  const random = new SeededRandom("frames");
  const cases = Array.from({ length: FRAMES }, () => {
    const settings: CodecSettings = {
      keepPerChunk: [16, 64, 1000, 4096][random.below(4)],
      valueBits: ([2, 4, 8] as const)[random.below(3)],
    };
    const width = 2 ** (2 + random.below(20));
    const residual = Int32Array.from({ length: 266 }, () => random.below(width) - width / 2);
    const { bytes } = encodeDelta(residual, LENGTHS, settings);
    const body = mutated(random, bytes.subarray(24, -4));
    return { settings, frame: checked(Uint8Array.of(...bytes.subarray(0, 24), ...body)) };
  });
  const input = cases
    .map(({ settings, frame }) =>
      JSON.stringify({ frame: Buffer.from(frame).toString("base64"), lengths: LENGTHS, settings }),
    )
    .join("\n");
  const { lines } = python("judge.py", { input });
  const ours = cases.map(({ settings, frame }) => {
    const opened = openDelta(frame, LENGTHS, settings);
    const decoded = decodeDelta(frame, LENGTHS, settings);
    if (opened.kind !== "accept" || decoded.kind !== "accept") return "refused";
    return `accept ${opened.value.norm} ${digestOf(bytesOf(decoded.value))}`;
  });
  expect(lines.map((line) => (line.startsWith("DELTA_") ? "refused" : line))).toEqual(ours);
  expect(ours.filter((line) => line === "refused").length).toBeGreaterThan(FRAMES / 5);
  expect(ours.filter((line) => line !== "refused").length).toBeGreaterThan(FRAMES / 5);
});

/** Two words for what is not the one encoding of something. */
function kindOf(line: string): string {
  return line === "HEADER_NOT_CANONICAL" ? "HEADER_MALFORMED" : line;
}

/** None to two bytes changed, and sometimes one taken out or put in. */
function mutated(random: SeededRandom, bytes: Uint8Array): Uint8Array {
  const copy = [...bytes];
  for (let changes = random.below(3); changes > 0; changes--)
    copy[random.below(copy.length)] ^= 1 << random.below(8);
  const at = random.below(copy.length);
  switch (random.below(12)) {
    case 0:
      copy.splice(at, 1);
      break;
    case 1:
      copy.splice(at, 0, random.below(256));
      break;
  }
  return Uint8Array.from(copy);
}

function checked(bytes: Uint8Array): Uint8Array {
  return Uint8Array.of(...bytes, ...sha256(bytes).subarray(0, 4));
}
