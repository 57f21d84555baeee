/**
 * Up the ladder, one phase after the other: a phase ends at a settled round, everybody computes what its weights grow into
 * and who goes on (ascent.ts), and those who do begin the next one. Whoever does not goes on in the old phase until it
 * has qualified. Nobody is asked and nothing is sent.
 */
import type { Base, Machine, PhaseMark } from "../consensus/index.ts";
import { type Logger, type PeerId, assert } from "../core/index.ts";
import { parametersCount } from "../trainer/index.ts";
import { Ascent } from "./ascent.ts";
import type { LearnerClient } from "./learner/client.ts";
import type { LearnerFacts, LearnerOptions } from "./learner/learner.ts";
import type { RoundLoop } from "./loop.ts";
import { type Manifest, phaseOf } from "./manifest.ts";
import type { PhaseStatus } from "./status.ts";

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
  /** Whenever something may have changed in a loop's machine. */
  onChange(listener: () => void): () => void;
}

/** A phase that is over; its loop goes on for ranking, or to see who qualifies. */
interface EndedPhase {
  readonly loop: RoundLoop;
  readonly ascent: Ascent;
  readonly facts: LearnerFacts;
  readonly seats: number;
}

export class Climb {
  readonly #deps: ClimbDeps;
  readonly #ended: EndedPhase[] = [];
  #phase = 0;
  #loop: RoundLoop | undefined;

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

  get isLastPhase(): boolean {
    return this.#phase + 1 === this.#deps.manifest.phases.length;
  }

  /** From the start of the first phase, or a settled state of it; resolves when the last one is over. */
  async run(first: LearnerFacts, base?: Base): Promise<void> {
    const { manifest, learner, signal, log } = this.#deps;
    let start: PhaseStart = { phase: 0, facts: first, ascent: undefined, base };
    for (;;) {
      const { phase, facts } = start;
      const loop = this.#deps.createLoop(start);
      this.#phase = phase;
      this.#loop = loop;
      await loop.start();
      await orAborted(loop.finished, signal);
      const entry = manifest.phases[phase + 1]?.entry;
      if (entry === undefined) return;
      const ascent = new Ascent(loop.machine, markOf(loop.machine), entry);
      this.#ended.push({ loop, ascent, facts, seats: entry.seats });
      await this.#admission(loop, ascent);
      await this.#ended.at(-2)?.loop.stop();
      loop.observe();
      const next = phase + 1;
      const grown = await learner.climb(await this.#deps.learnerOptions(next), {
        from: phaseOf(manifest, phase).model,
        to: phaseOf(manifest, next).model,
        rule: entry.growth,
        seed: `${manifest.seed}/phase/${next}`,
      });
      log.info("next phase", { phase: next, startRoot: grown.startRoot });
      start = { phase: next, facts: grown, ascent };
    }
  }

  /** The signal must be aborted already. */
  async stop(): Promise<void> {
    await this.#loop?.stop();
    for (const { loop } of this.#ended) await loop.stop();
  }

  /** The phases that are over, from the first. */
  status(): PhaseStatus[] {
    return this.#ended.map(({ loop, ascent, facts, seats }, phase) => ({
      phase,
      parameters: parametersCount(phaseOf(this.#deps.manifest, phase).model),
      roundsSettled: ascent.mark.round,
      startRoot: facts.startRoot,
      endRoot: ascent.mark.root,
      lossFirst: loop.progress.validationLossFirstNats,
      lossLast: loop.progress.validationLossLastNats,
      admitted: ascent.standing.admitted.map(({ author }) => author),
      rank: ascent.rankOf(this.#deps.self),
      seats,
    }));
  }

  /** Resolves when we are admitted to the next phase; until then we go on in this one. */
  async #admission(loop: RoundLoop, ascent: Ascent): Promise<void> {
    const { self, signal, log } = this.#deps;
    if (ascent.admits(self)) return;
    const seats = ascent.standing.admitted.length;
    log.warn("not among the best of the phase: going on in it to qualify", {
      rank: ascent.rankOf(self),
      seats,
    });
    loop.rank();
    const { promise, resolve } = Promise.withResolvers<void>();
    const leave = this.#deps.onChange(() => ascent.admits(self) && resolve());
    await orAborted(promise, signal).finally(leave);
  }
}

function markOf({ settled }: Machine): PhaseMark {
  assert(settled !== undefined, "a phase that is over has settled");
  return settled;
}

/** The promise, or a rejection as soon as the signal is aborted. */
async function orAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const listener = (): void => reject(signal.reason as Error);
  signal.addEventListener("abort", listener, { once: true });
  await Promise.race([promise, aborted]).finally(() => signal.removeEventListener("abort", listener));
}
