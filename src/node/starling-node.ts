/** A node as its users hold it; node.ts makes one. */
import type { Cid, PeerId, Service } from "../core/index.ts";
import type { SnapshotSource } from "../dashboard/index.ts";
import type { GenerateOptions } from "../trainer/index.ts";
import type { CreditsPage } from "./credits/credits.ts";
import type { NodeEmitter } from "./events.ts";
import type { Until } from "./round/farewell.ts";
import type { Evaluation } from "./model/measure.ts";
import type { RunListing } from "./runs/listing.ts";
import type { ProposalStatus } from "./succession/succession.ts";
import type { SettledWeights } from "./model/settled-model.ts";
import type { NodeStatus } from "./status.ts";

export interface StarlingNode extends Service, SnapshotSource {
  readonly peerId: PeerId;
  /** Rounds, contributions, phases, settled states as they come. */
  readonly events: NodeEmitter;
  status(): NodeStatus;
  /** Writes the settled weights as a Hugging Face folder; answers with the files' names. */
  exportTo(out: string): Promise<string[]>;
  /** Text that the settled model continues a prompt with, as it comes. */
  generate(options: GenerateOptions): AsyncGenerator<string>;
  /** A copy of the settled weights as float32 arrays. Throws `NOT_READY`. */
  weights(): Promise<SettledWeights>;
  /** The settled model's mean loss on a text, in nats per token and bits per byte. Throws `NOT_READY`, `DATA_TOO_SHORT`. */
  measure(text: string): Promise<Evaluation>;
  /** What the settled history has minted, from a round on. Throws `CREDITS_NONE`, or `NOT_READY` before there is history. */
  credits(fromRound: number): CreditsPage;
  /** Proposed successors of the run, the most supported first. Throws `NOT_READY`. */
  proposals(): Promise<ProposalStatus[]>;
  /**
   * Proposes a manifest as the run's successor, to be carried within so many settled rounds, and supports it.
   * Throws `NOT_READY`, `MANIFEST_INVALID`, `PROPOSAL_UNFIT`, `DATA_INVALID`.
   */
  propose(manifest: unknown, withinRounds: number): Promise<Cid>;
  /** Names a proposal in our contributions from now on; null: none. Throws `NOT_READY`, `PROPOSAL_UNKNOWN`. */
  support(proposal: Cid | null): Promise<void>;
  /** Live runs that nodes tell of, this node's own among them; takes seconds. Throws `RUNS_UNLISTED`. */
  runs(): Promise<RunListing[]>;
  /** Ends the round under way after its step, publishes it, and trains no more until `resume`. */
  pause(): void;
  resume(): void;
  /** Resolves when the node may be stopped without losing work; meanwhile it begins nothing that would be lost. */
  farewell(until: Until): Promise<void>;
  /** Resolves when the run is over and settled; rejects when the node cannot go on. */
  readonly finished: Promise<void>;
}
