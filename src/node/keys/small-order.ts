/**
 * Points of small order on Ed25519's curve, as a key or as the R of a signature. Libraries differ on them: OpenSSL 3.5 (Node 24)
 * refuses them, 3.0 (Node 20 and 22) does not (measured: docs/log.md). One header signed like that would be valid on some nodes and not on
 * others, and with it every history that cites it; so the protocol refuses them, whatever the library thinks.
 */

/** Their y, little-endian, sign bit cleared; 0 and 1 have a second encoding. From: libsodium, ge25519_has_small_order. */
const SMALL_ORDER: ReadonlySet<string> = new Set([
  "0000000000000000000000000000000000000000000000000000000000000000", // order 4
  "0100000000000000000000000000000000000000000000000000000000000000", // 1
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", // 8
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", // 8
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // 2
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // 0 again
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // 1 again
]);

/** `point`: 32 bytes, RFC 8032. */
export function hasSmallOrder(point: Uint8Array): boolean {
  const y = Buffer.from(point);
  y[31] = (y[31] as number) & 0x7f;
  return SMALL_ORDER.has(y.toString("hex"));
}
