/** What the tests of one run share: names drawn from a seed, and a phase that starts from given weights. */
import { base58btc } from "multiformats/bases/base58";
import {
  type Digest,
  type PeerId,
  RAW,
  type RunId,
  bytesOf,
  cidOf,
  digestOf,
  rootOfBytes,
  sha256,
} from "../../src/core/index.ts";
import { type GraphOptions, type PhaseLimits, type Rule, ruleSchema } from "../../src/consensus/index.ts";

const ED25519_PEER_ID_PREFIX = [0x00, 0x24, 0x08, 0x01, 0x12, 0x20];

export function textBytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function digestOfText(text: string): Digest {
  return digestOf(textBytes(text));
}

/** A peer id of the right shape; nobody knows its key. */
export function peerOf(seed: string): PeerId {
  const bytes = Uint8Array.from([...ED25519_PEER_ID_PREFIX, ...sha256(textBytes(seed))]);
  return base58btc.baseEncode(bytes) as PeerId;
}

export function runIdOf(seed: string): RunId {
  return cidOf(textBytes(seed), RAW) as RunId;
}

export interface RunOptions {
  readonly seed: string;
  readonly rule?: Partial<Rule>;
  readonly limits?: Partial<PhaseLimits>;
  readonly founders?: readonly PeerId[];
  /** The weights that the phase starts from, and the length of the residual. (P,) */
  readonly start?: Int32Array;
}

/** Options of a graph or a machine. Limits default to no end, 100 tokens a step and 50 steps a round. */
export function runOf({ seed, rule, limits, founders, start }: RunOptions): GraphOptions {
  const weights = start ?? new Int32Array(8);
  return {
    run: runIdOf(seed),
    phase: 0,
    rule: ruleSchema.parse(rule ?? {}),
    founders: founders ?? [],
    limits: {
      phase: 0,
      tokensBudget: Number.MAX_SAFE_INTEGER,
      tokensPerStep: 100,
      stepsMax: 50,
      deltaBytesMax: 1 << 20,
      ...limits,
    },
    startRoot: rootOfBytes(bytesOf(weights)),
    startSettled: digestOfText(`${seed}/start`),
    zeroState: rootOfBytes(bytesOf(new Int32Array(weights.length))),
  };
}
