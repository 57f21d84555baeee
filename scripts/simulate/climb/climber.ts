/**
 * One node that climbs a ladder in the simulator: a FlockNode for each phase, and between them what src/node/climb/climb.ts does.
 * A crash takes all of them down; afterwards it goes through its phases again from its disk, from the first.
 */
import type { Machine, PhaseMark } from "../../../src/consensus/index.ts";
import { assert } from "../../../src/core/index.ts";
import { Ascent } from "../../../src/node/climb/ascent.ts";
import type { Agenda } from "../agenda.ts";
import type { FlockNode } from "../flock-node.ts";
import type { Rung } from "./ladder.ts";

export interface ClimberOptions {
  readonly index: number;
  readonly rungs: readonly Rung[];
  readonly agenda: Agenda;
  /** Its node in a phase that it has not been in, or not from this start. */
  readonly enter: (climber: Climber, phase: number, ascent: Ascent | undefined) => FlockNode;
  /** Somebody who can tell it what went on in a phase. */
  readonly peerIn: (climber: Climber, phase: number) => FlockNode | undefined;
}

export interface EndedPhase {
  readonly mark: PhaseMark;
  /** Undefined of the last phase. */
  readonly ascent: Ascent | undefined;
}

/** How often one who was left behind looks whether it has qualified. */
const LOOK_MS = 1000;

export class Climber {
  readonly index: number;
  /** How often it went through its phases again because one ended otherwise. */
  descents = 0;
  /** Phases in which it was left behind at the end. */
  readonly stays: Set<number> = new Set();
  isUp = false;
  readonly #options: ClimberOptions;
  readonly #nodes: FlockNode[] = [];
  readonly #ended: EndedPhase[] = [];
  #phase = 0;
  /** Counts starts: what was put down before a crash or a descent is void. */
  #life = 0;

  constructor(options: ClimberOptions) {
    this.#options = options;
    this.index = options.index;
  }

  get phase(): number {
    return this.#phase;
  }

  get node(): FlockNode | undefined {
    return this.#nodes[this.#phase];
  }

  get ended(): readonly EndedPhase[] {
    return this.#ended;
  }

  /** For the first time or again. */
  start(): void {
    this.isUp = true;
    this.#ended.length = 0;
    this.#enter(0, undefined);
  }

  crash(): void {
    this.isUp = false;
    this.#life += 1;
    for (const node of this.#nodes) if (node.isUp) node.crash();
  }

  /** Its machine for this phase says that it is over. */
  takeEnd(phase: number): void {
    this.#later(0, () => this.#end(phase));
  }

  /** A history of this phase outweighs ours. */
  takeResync(phase: number, fork: number): void {
    const ended = this.#ended[phase];
    if (ended === undefined || fork >= ended.mark.round) return;
    this.#later(0, () => {
      this.descents += 1;
      this.crash();
      this.start();
    });
  }

  #enter(phase: number, ascent: Ascent | undefined): void {
    const { enter, peerIn } = this.#options;
    this.#phase = phase;
    const before = this.#nodes[phase];
    const isSameStart =
      before !== undefined &&
      before.options.run.startSettled === (ascent?.mark.root ?? before.options.run.startSettled);
    const node = isSameStart ? before : enter(this, phase, ascent);
    this.#nodes[phase] = node;
    node.start(peerIn(this, phase));
  }

  #end(phase: number): void {
    // A last phase goes over to another history by itself, and ends once more.
    if (phase !== this.#phase || this.#ended.length > phase) return;
    const node = this.#nodes[phase];
    assert(node !== undefined, "whoever ends a phase was in it");
    const mark = markOf(node.machine);
    const seats = this.#options.rungs[phase + 1]?.seats;
    const ascent =
      seats &&
      new Ascent(node.machine, mark, {
        seats,
        isBelowOpen: this.#ended[phase - 1]?.ascent?.isOpen ?? true,
      });
    this.#ended.push({ mark, ascent });
    if (ascent === undefined) return;
    if (!ascent.admits(node.peer)) {
      this.stays.add(phase);
      node.goOn("rank");
    }
    this.#whenAdmitted(node, ascent);
  }

  #whenAdmitted(node: FlockNode, ascent: Ascent): void {
    if (!ascent.admits(node.peer)) return this.#later(LOOK_MS, () => this.#whenAdmitted(node, ascent));
    node.goOn("observe");
    this.#enter(this.#phase + 1, ascent);
  }

  #later(delayMs: number, run: () => void): void {
    const life = this.#life;
    this.#options.agenda.in(delayMs, () => {
      if (life === this.#life) run();
    });
  }
}

function markOf({ settled }: Machine): PhaseMark {
  assert(settled !== undefined, "a phase that is over has settled");
  return settled;
}
