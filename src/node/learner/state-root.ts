/** The digest of an author's local state that headers name as `stateBefore` and `stateAfter`. */
import { type Digest, digestOf, rootOfBytes } from "../../core/index.ts";

/** `parts`: moments, residual and step count, by name and in their order. */
export function stateRoot(parts: ReadonlyMap<string, Uint8Array>): Digest {
  return rootOfParts([...parts].map(([name, bytes]) => [name, rootOfBytes(bytes)]));
}

/** The digest of the state that everybody starts with, and may always start again from. */
export function zeroStateRoot(parametersCount: number): Digest {
  const zeros = rootOfBytes(new Uint8Array(4 * parametersCount)); // (P,) of 4 bytes each
  return rootOfParts([
    ["moment1", zeros],
    ["moment2", zeros],
    ["residual", zeros],
    ["steps", rootOfBytes(new TextEncoder().encode("0"))],
  ]);
}

function rootOfParts(parts: readonly (readonly [name: string, root: Digest])[]): Digest {
  return digestOf(new TextEncoder().encode(parts.map(([name, root]) => `${name} ${root}`).join("\n")));
}
