/** What the crash test writes in a round: a function of the round, so that whoever reads it knows what to expect. */
import { BLOCK_BYTES, type ContributionId, digestOf } from "../../../src/core/index.ts";
import type { CheckpointMeta, StoredHeader } from "../../../src/storage/index.ts";
import { nodeCid, randomBytes, runNamed } from "./support.ts";

const noise = randomBytes(BLOCK_BYTES + 5000, "noise");

function bytesOf(kind: string, round: number, length: number): Uint8Array {
  const bytes = noise.slice(0, length);
  bytes.set(new TextEncoder().encode(`${kind} ${round}`));
  return bytes;
}

export function headerOf(round: number): StoredHeader {
  const bytes = bytesOf("header", round, 700);
  return { phase: 0, round, id: nodeCid(bytes) as ContributionId, bytes, durable: true };
}

export function bodyOf(round: number): Uint8Array {
  return bytesOf("body", round, BLOCK_BYTES + 3000);
}

export function stateOf(round: number): Map<string, Uint8Array> {
  return new Map(["m", "v", "residual"].map((name) => [name, bytesOf(name, round, 200_000)]));
}

export function checkpointOf(round: number): { meta: CheckpointMeta; weights: Uint8Array } {
  const root = digestOf(bytesOf("root", round, 10));
  return {
    meta: { run: runNamed("run"), phase: 0, round, root, weightsRoot: root, accounts: { a: round } },
    weights: bytesOf("weights", round, 300_000),
  };
}
