/** Payout addresses: 20 bytes, written in hex with the checksum of EIP-55 in the case of the letters. */
import { keccak_256 } from "@noble/hashes/sha3.js";

/** `0x` and 40 hex digits with the right EIP-55 case. */
export type Address = string & { readonly brand: "Address" };

/**
 * The address with its checksum. Undefined for anything else than `0x` and 40 hex digits, for mixed case that is not
 * the checksum's (a typing error, in all but 0.02 % of cases), and for zero, which nobody can pay from.
 */
export function parseAddress(text: string): Address | undefined {
  if (!/^0x[0-9a-fA-F]{40}$/.test(text)) return undefined;
  const digits = text.slice(2);
  const lower = digits.toLowerCase();
  if (/^0+$/.test(lower)) return undefined;
  const address = checksummed(lower);
  const isOneCase = digits === lower || digits === digits.toUpperCase();
  return isOneCase || address === text ? address : undefined;
}

/** EIP-55: a letter is upper-case where the same hex digit of keccak256(lower-case digits) is 8 or more. */
function checksummed(lower: string): Address {
  const digest = Buffer.from(keccak_256(new TextEncoder().encode(lower))).toString("hex");
  const isUpper = (at: number): boolean => parseInt(digest.charAt(at), 16) >= 8;
  return `0x${lower.replace(/[a-f]/g, (letter, at: number) => (isUpper(at) ? letter.toUpperCase() : letter))}` as Address;
}
