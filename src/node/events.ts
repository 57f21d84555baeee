/**
 * What a node tells the program that it runs in. The events are read off what the round's machine was told and asked for,
 * so nothing in the rounds knows of them. Listeners run after the node's own work, in order; what one throws is an
 * uncaught exception, as with every emitter of Node, and no fault of the node's.
 */
import { EventEmitter } from "node:events";
import type { Effect, Event } from "../consensus/index.ts";
import type { ContributionId, Digest, PeerId } from "../core/index.ts";
import type { Recorder } from "./round/loop.ts";
import type { SettledStatus } from "./status.ts";

/** A phase that this node begins to work on; the first is 0. */
export interface PhaseEvent {
  readonly phase: number;
  /** Merkle root of the weights that it starts from. */
  readonly startRoot: Digest;
}

/** A round that this node has trained. */
export interface RoundEvent {
  readonly phase: number;
  readonly round: number;
  /** Inner steps done, and the tokens in them; 0 in a round that only cites. */
  readonly steps: number;
  readonly tokens: number;
  /** Mean nats per token of the first and the last step; null without steps. */
  readonly lossFirstNats: number | null;
  readonly lossLastNats: number | null;
}

/**
 * A contribution, anybody's, whose whole history is here; whether it is included others' citations decide. When a node starts,
 * those on its disk come first, so that a program can count on from nothing.
 */
export interface ContributionEvent {
  readonly id: ContributionId;
  readonly author: PeerId;
  readonly isOwn: boolean;
  readonly phase: number;
  readonly round: number;
  readonly steps: number;
  readonly tokens: number;
  /** As its author says, in nats per token. */
  readonly lossLastNats: number | null;
  /** Of its delta; 0 when it only cites. */
  readonly deltaBytes: number;
}

/** Rounds below `round` are folded for good. */
export interface SettledEvent extends SettledStatus {
  readonly phase: number;
}

/** What the program's own `evaluate` answered. */
export interface EvaluationEvent extends SettledEvent {
  readonly scores: Readonly<Record<string, number>>;
}

export interface NodeEvents {
  phase: [PhaseEvent];
  round: [RoundEvent];
  contribution: [ContributionEvent];
  settled: [SettledEvent];
  evaluation: [EvaluationEvent];
}

export type NodeEmitter = EventEmitter<NodeEvents>;

export function createEmitter(): NodeEmitter {
  return new EventEmitter<NodeEvents>();
}

/** Emits once the node's own work of this turn is done. */
export function tell<K extends keyof NodeEvents>(
  emitter: NodeEmitter,
  name: K,
  what: NodeEvents[K][0],
): void {
  // Typed by K on both sides, which the emitter's own types can't see.
  queueMicrotask(() => (emitter as EventEmitter).emit(name, what));
}

/** Tells of one phase's machine. `self`: whose contributions are own. */
export function phaseEvents(emitter: NodeEmitter, phase: number, self: PeerId): Recorder {
  return {
    begin: ({ startRoot }) => tell(emitter, "phase", { phase, startRoot }),
    event(event, effects) {
      if (event.kind === "trained") tell(emitter, "round", { phase, ...trainedIn(event) });
      for (const effect of effects) {
        if (effect.kind === "admit") tell(emitter, "contribution", seenIn(effect, self));
        if (effect.kind === "settled") tell(emitter, "settled", { phase, ...namedIn(effect) });
      }
    },
  };
}

function trainedIn({ round, result }: Event & { kind: "trained" }): Omit<RoundEvent, "phase"> {
  const { steps, tokens, lossFirst, lossLast } = result.work;
  return { round, steps, tokens, lossFirstNats: lossFirst, lossLastNats: lossLast };
}

function seenIn({ contribution }: Effect & { kind: "admit" }, self: PeerId): ContributionEvent {
  const { id, header } = contribution;
  const { author, phase, round, work, delta } = header;
  const { steps, tokens, lossLast } = work;
  const isOwn = author === self;
  const deltaBytes = delta?.bytes ?? 0;
  return { id, author, isOwn, phase, round, steps, tokens, lossLastNats: lossLast, deltaBytes };
}

function namedIn({ state }: Effect & { kind: "settled" }): SettledStatus {
  const { round, root, weightsRoot } = state;
  return { round, root, weightsRoot };
}

/** Both are told of everything, `first` first. */
export function bothOf(first: Recorder | undefined, second: Recorder): Recorder {
  return {
    begin(options) {
      first?.begin(options);
      second.begin(options);
    },
    event(event, effects) {
      first?.event(event, effects);
      second.event(event, effects);
    },
  };
}
