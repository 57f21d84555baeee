import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { decodeDelta, encodeDelta, openDelta } from "../../../src/codec/index.ts";
import { bytesOf } from "../../../src/core/index.ts";
import {
  type AcceptedVector,
  type RefusedVector,
  acceptedVectors,
  refusedVectors,
} from "../../vectors/make-codec-vectors.ts";

function read<T>(name: string): T[] {
  return JSON.parse(readFileSync(new URL(`../../vectors/codec/${name}`, import.meta.url), "utf8")) as T[];
}

const bytesIn = (base64: string): Uint8Array => Uint8Array.from(Buffer.from(base64, "base64"));
const int32In = (base64: string): Int32Array => new Int32Array(bytesIn(base64).buffer);

describe("R1 golden vectors", () => {
  it("are what their script makes today", () => {
    expect(acceptedVectors()).toEqual(read<AcceptedVector>("accepted.json"));
    expect(refusedVectors()).toEqual(read<RefusedVector>("refused.json"));
  });

  it.each(read<AcceptedVector>("accepted.json"))("encodes and decodes: $name", (vector) => {
    const { settings, lengths } = vector;
    const residual = int32In(vector.residual);
    const { bytes, norm } = encodeDelta(residual, lengths, settings);
    expect(Buffer.from(bytes).toString("base64")).toBe(vector.frame);
    expect(norm).toBe(vector.norm);
    const decoded = decodeDelta(bytesIn(vector.frame), lengths, settings);
    expect(decoded.kind === "accept" && Buffer.from(bytesOf(decoded.value)).toString("base64")).toBe(
      vector.decoded,
    );
  });

  it.each(read<RefusedVector>("refused.json"))(
    "F16: refuses: $name",
    ({ frame, lengths, settings, code }) => {
      expect(openDelta(bytesIn(frame), lengths, settings)).toMatchObject({ kind: "reject", code });
    },
  );
});
