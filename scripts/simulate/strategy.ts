/** What an adversary does otherwise than an honest node. Whatever a strategy does not say is done honestly. */
import type { Draft, TrainOrder } from "../../src/consensus/index.ts";
import type { FlockNode } from "./flock-node.ts";
import type { Parcel } from "./parcel.ts";

export interface Strategy {
  readonly name: string;
  /** Instead of working: it hears everything, and does what is put on the agenda here. */
  readonly act?: (node: FlockNode) => void;
  /** How long it says it trains, and for how many steps. */
  readonly train?: (
    order: TrainOrder,
    node: FlockNode,
  ) => { readonly durationMs: number; readonly steps: number };
  /** What it makes of a contribution that is ready; the first is the one that it goes on from itself. */
  readonly drafts?: (draft: Draft, node: FlockNode) => readonly Draft[];
  /** Sends one of them; `variant`: its index in `drafts`. */
  readonly send?: (parcel: Parcel, node: FlockNode, variant: number) => void;
  /** Whether it hears what another made. */
  readonly hears?: (parcel: Parcel, node: FlockNode) => boolean;
  /** Whether it gives a header or body to whoever asks. */
  readonly serves?: (parcel: Parcel, to: number, node: FlockNode) => boolean;
}
