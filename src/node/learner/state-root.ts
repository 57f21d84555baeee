/** The digest of moments and residual that a contribution commits to before and after its work. */
import { type Digest, digestOf, rootOfBytes } from "../../core/index.ts";

/** Over the names and Merkle roots of the parts, in the order of the map. */
export function stateRoot(parts: ReadonlyMap<string, Uint8Array>): Digest {
  const lines = [...parts].map(([name, bytes]) => `${name} ${rootOfBytes(bytes)}`);
  return digestOf(new TextEncoder().encode(lines.join("\n")));
}

/** What everybody begins with: zeros, and no step done. */
export function zeroStateRoot(parametersCount: number): Digest {
  const zeros = new Uint8Array(4 * parametersCount);
  return stateRoot(
    new Map([
      ["moment1", zeros],
      ["moment2", zeros],
      ["residual", zeros],
      ["steps", new TextEncoder().encode("0")],
    ]),
  );
}
