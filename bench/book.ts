/** What the benchmarks learn: Moby-Dick as bytes, its last tenth held out, so that figures stay comparable. */
import { mobyDickText } from "../scripts/testnet/text.ts";
import { RAW, cidOf } from "../src/core/index.ts";
import type { ShardSource } from "../src/trainer/index.ts";

const HELD_OUT_SHARE = 0.1;

/** One shard of each side, whatever its size: nothing travels here. */
export interface Book extends ShardSource {
  /** All of the train side. */
  readonly tokens: Uint8Array;
}

export function mobyDick(): Book {
  const text = new TextEncoder().encode(mobyDickText());
  const cut = text.length - Math.floor(text.length * HELD_OUT_SHARE);
  const sides = [text.subarray(0, cut), text.subarray(cut)] as const;
  const [train, heldOut] = sides.map((tokens) => ({ cid: cidOf(tokens, RAW), tokens: tokens.length }));
  return {
    tokens: sides[0],
    train: train === undefined ? [] : [train],
    heldOut: heldOut === undefined ? [] : [heldOut],
    read: ({ cid }) => Promise.resolve(cid === train?.cid ? sides[0] : sides[1]),
  };
}
