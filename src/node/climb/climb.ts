/**
 * Up the ladder, one phase after the other: a phase ends at a settled round, everybody computes what its weights grow into
 * and who goes on (ascent.ts), and those who do begin the next one. Whoever does not goes on in the old phase until it
 * has qualified. Nobody is asked and nothing is sent.
 */
import type { Base, Machine, PhaseMark } from "../../consensus/index.ts";
import { type Logger, type PeerId } from "../../core/index.ts";
import { parametersCount } from "../../trainer/index.ts";
import { Ascent } from "./ascent.ts";
import type { LearnerClient } from "../learner/client.ts";
import type { LearnerFacts, LearnerOptions } from "../learner/options.ts";
import type { RoundLoop } from "../round/loop.ts";
import type { Entry } from "../run/ladder.ts";
import { type Manifest, growthInto, phaseOf } from "../run/manifest.ts";
import { Place } from "./place.ts";
import type { LadderStatus, PhaseStatus } from "../status.ts";

/** Where a phase begins; `ascent`: out of the phase below, in all but the first. */
export interface PhaseStart {
  readonly phase: number;
  readonly facts: LearnerFacts;
  readonly ascent: Ascent | undefined;
  /** A settled state that the first phase goes on from. */
  readonly base?: Base | undefined;
}

export interface ClimbDeps {
  readonly manifest: Manifest;
  readonly self: PeerId;
  readonly learner: LearnerClient["learner"];
  readonly log: Logger;
  readonly signal: AbortSignal;
  learnerOptions(phase: number): Promise<Omit<LearnerOptions, "start">>;
  createLoop(start: PhaseStart): RoundLoop;
  /** The first phase's learner once more, from its start. */
  reopen(): Promise<LearnerFacts>;
  /** The run is left for its successor, from what it has learned so far. */
  left(mark: PhaseMark): Promise<void>;
  /** The last phase is over, or the run is left. */
  over(): void;
  /** Whenever something may have changed in a loop's machine. */
  onChange(listener: () => void): () => void;
}

/** A phase that is over; its loop goes on for ranking, or to see who qualifies. */
interface EndedPhase {
  readonly loop: RoundLoop;
  readonly mark: PhaseMark;
  readonly facts: LearnerFacts;
  /** Absent: it was the last. */
  readonly next?: { readonly ascent: Ascent; readonly entry: Entry };
}

export class Climb {
  readonly #deps: ClimbDeps;
  readonly #ended: EndedPhase[] = [];
  #phase = 0;
  #hasLeft = false;
  #loop: RoundLoop | undefined;
  #place: Place | undefined;

  constructor(deps: ClimbDeps) {
    this.#deps = deps;
  }

  /** The phase that the node works on. */
  get phase(): number {
    return this.#phase;
  }

  get loop(): RoundLoop | undefined {
    return this.#loop;
  }

  /** Of every phase that was gone through, from the first. */
  get machines(): readonly Machine[] {
    const machines = this.#ended.map(({ loop }) => loop.machine);
    const { machine } = this.#loop ?? {};
    return machine === undefined || machines.includes(machine) ? machines : [...machines, machine];
  }

  /** Nothing comes after it in this run. */
  get isLastPhase(): boolean {
    return this.#hasLeft || this.#phase + 1 === this.#deps.manifest.phases.length;
  }

  /**
   * From the start of the first phase, or a settled state of it, up to the end of the last one, and down again whenever the
   * history of a phase that we have left turns out to have been the lighter one. Ends with the signal.
   */
  async run(first: LearnerFacts, base?: Base): Promise<never> {
    let start: PhaseStart = { phase: 0, facts: first, ascent: undefined, base };
    for (;;) {
      const next = await this.#through(start);
      if (next === "overturned") {
        await this.#leaveAll();
        start = { phase: 0, facts: await this.#deps.reopen(), ascent: undefined };
      } else start = next;
    }
  }

  /** One phase: where the next begins. */
  async #through(start: PhaseStart): Promise<PhaseStart | "overturned"> {
    const { manifest, learner, log } = this.#deps;
    const { phase, facts } = start;
    const loop = this.#deps.createLoop(start);
    this.#phase = phase;
    this.#loop = loop;
    this.#place = new Place(loop.machine, this.#deps.self);
    await loop.start();
    const mark = await this.#unlessOverturned(loop.finished);
    if (mark === "overturned") return mark;
    if (mark.leaves) {
      this.#ended.push({ loop, mark, facts });
      await this.#deps.left(mark);
      this.#hasLeft = true;
      this.#deps.over();
      return this.#unlessOverturned(new Promise<never>(() => undefined));
    }
    const above = phase + 1;
    const entry = manifest.phases[above]?.entry;
    if (entry === undefined) {
      this.#ended.push({ loop, mark, facts });
      this.#deps.over();
      return this.#unlessOverturned(new Promise<never>(() => undefined));
    }
    const ascent = new Ascent(loop.machine, mark, {
      seats: entry,
      isBelowOpen: start.ascent?.isOpen ?? true,
    });
    const next = { ascent, entry };
    this.#ended.push({ loop, mark, facts, next });
    if ((await this.#admission(loop, next)) === "overturned") return "overturned";
    loop.observe();
    const grown = await learner.climb(await this.#deps.learnerOptions(above), growthInto(manifest, above));
    log.info("next phase", { phase: above, startRoot: grown.startRoot });
    return { phase: above, facts: grown, ascent };
  }

  /** What it resolves with; "overturned" as soon as a phase that we have left ended otherwise after all. */
  async #unlessOverturned<T>(promise: Promise<T>): Promise<T | "overturned"> {
    const overturned = this.#ended.map(({ loop }) => loop.overturned.then(() => "overturned" as const));
    return orAborted(Promise.race([promise, ...overturned]), this.#deps.signal);
  }

  /** All history is on our disk, both sides of it: from there the phases are gone through once more. */
  async #leaveAll(): Promise<void> {
    this.#deps.log.warn("a phase below ended otherwise: going through the phases again", {
      phase: this.#phase,
    });
    await this.stop();
    this.#ended.length = 0;
  }

  /** Nothing of it may be in use any more. */
  async stop(): Promise<void> {
    await this.#loop?.stop();
    for (const { loop } of this.#ended) await loop.stop();
  }

  /** The phases that are over, from the first. */
  status(): PhaseStatus[] {
    return this.#ended.map(({ loop, mark, facts, next }, phase) => ({
      phase,
      parameters: parametersCount(phaseOf(this.#deps.manifest, phase).model),
      roundsSettled: mark.round,
      startRoot: facts.startRoot,
      endRoot: mark.root,
      lossFirst: loop.progress.validationLossFirstNats,
      lossLast: loop.progress.validationLossLastNats,
      admitted: next?.ascent.standing.admitted.map(({ author }) => author) ?? [],
      rank: next === undefined ? (this.#place?.rank ?? null) : next.ascent.rankOf(this.#deps.self),
      seats: next?.entry.seats ?? null,
    }));
  }

  /** Where the node stands. */
  ladder(): LadderStatus {
    const { manifest } = this.#deps;
    const here = this.#ended[this.#phase];
    return {
      phasesCount: manifest.phases.length,
      tokensBudget: phaseOf(manifest, this.#phase).tokensBudget,
      rank: this.#place?.rank ?? null,
      seats: manifest.phases[this.#phase + 1]?.entry?.seats ?? null,
      leftBehindWhy: here?.next === undefined ? null : this.#leftBehindWhy(here.next),
    };
  }

  #leftBehindWhy({ ascent, entry }: NonNullable<EndedPhase["next"]>): string | null {
    const { self } = this.#deps;
    if (ascent.admits(self)) return null;
    const rank = ascent.rankOf(self);
    const { length } = ascent.standing.ranking;
    const place = rank === null ? "no work of ours was in it when it ended" : `rank ${rank} of ${length}`;
    return (
      `${place}, and ${entry.seats} went on; ` +
      `of every ${entry.qualifyRounds} further rounds the best ${entry.qualifySeats} qualify`
    );
  }

  /** Resolves when we are admitted to the next phase; until then we go on in this one. */
  async #admission(
    loop: RoundLoop,
    next: NonNullable<EndedPhase["next"]>,
  ): Promise<"admitted" | "overturned"> {
    const { self, log } = this.#deps;
    const why = this.#leftBehindWhy(next);
    if (why === null) return "admitted";
    log.warn("not admitted to the next phase: going on in this one to qualify", { why });
    loop.rank();
    const { promise, resolve } = Promise.withResolvers<"admitted">();
    const leave = this.#deps.onChange(() => next.ascent.admits(self) && resolve("admitted"));
    return this.#unlessOverturned(promise).finally(leave);
  }
}

/** The promise, or a rejection as soon as the signal is aborted. */
async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const listener = (): void => reject(signal.reason as Error);
  signal.addEventListener("abort", listener, { once: true });
  return Promise.race([promise, aborted]).finally(() => signal.removeEventListener("abort", listener));
}
