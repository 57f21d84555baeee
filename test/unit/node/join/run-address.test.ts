import fc from "fast-check";
import { expect, test } from "vitest";
import { digestOf } from "../../../../src/core/index.ts";
import { decodeRunAddress, encodeRunAddress } from "../../../../src/node/join/run-address.ts";
import { runIdOf } from "../../../support/run-of.ts";

const settled = fc.record({
  phase: fc.nat({ max: 63 }),
  round: fc.nat({ max: 2 ** 31 - 1 }),
  root: fc.uint8Array({ maxLength: 8 }).map((bytes) => digestOf(bytes)),
});
const address = fc.record({
  run: fc.string({ maxLength: 8 }).map((text) => runIdOf(text)),
  settled: fc.option(settled),
  peers: fc.array(fc.string({ maxLength: 256, unit: "grapheme-ascii" }), { maxLength: 6 }),
});

test("S3 an address is one string of letters, digits, - and _, and says the same after it was pasted", () => {
  fc.assert(
    fc.property(address, (given) => {
      const text = encodeRunAddress(given);
      expect(text).toMatch(/^starling1[\w-]+$/);
      expect(decodeRunAddress(text)).toEqual(given);
      expect(decodeRunAddress(` ${text.slice(0, 40)}\n${text.slice(40)}\n`)).toEqual(given);
    }),
  );
});

test("S3 an address with a character lost or changed is refused, whatever else comes too, with what to do", () => {
  fc.assert(
    fc.property(address, fc.nat(), fc.constantFrom("", "A", "z"), (given, at, instead) => {
      const text = encodeRunAddress(given);
      const place = at % text.length;
      const broken = text.slice(0, place) + instead + text.slice(place + 1);
      fc.pre(broken !== text && Buffer.compare(payload(broken), payload(text)) !== 0);
      expect(() => decodeRunAddress(broken)).toThrow(/copy all of it/);
    }),
  );
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(() => decodeRunAddress(`starling1${text}`)).toThrow(/copy all of it/);
    }),
  );
});

/** What the checksum is over; base64's last character has bits that nobody reads. */
function payload(text: string): Uint8Array {
  return Buffer.from(text.startsWith("starling1") ? text.slice(9) : "", "base64url");
}
