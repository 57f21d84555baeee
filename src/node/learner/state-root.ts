/** The digest of an author's local state that headers name as `stateBefore` and `stateAfter`. */
import { type Digest, digestOf, rootOfBytes } from "../../core/index.ts";

/** Of each part: moments, residual and step count, by name and in their order. */
export function rootsOf(parts: ReadonlyMap<string, Uint8Array>): Map<string, Digest> {
  return new Map([...parts].map(([name, bytes]) => [name, rootOfBytes(bytes)]));
}

/** The digest of the state that everybody starts with, and may always start again from. */
export function zeroStateRoot(parametersCount: number): Digest {
  const zeros = rootOfBytes(new Uint8Array(4 * parametersCount)); // (P,) of 4 bytes each
  return stateRoot(
    new Map([
      ["moment1", zeros],
      ["moment2", zeros],
      ["residual", zeros],
      ["steps", rootOfBytes(new TextEncoder().encode("0"))],
    ]),
  );
}

/** Of a whole state, of its parts' roots by name. */
export function stateRoot(roots: ReadonlyMap<string, Digest>): Digest {
  const names = ["moment1", "moment2", "residual", "steps"];
  return digestOf(new TextEncoder().encode(names.map((name) => `${name} ${roots.get(name)}`).join("\n")));
}
