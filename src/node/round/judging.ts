/**
 * Bodies that await the gates. They are judged by what we learned in the same round, so not before our own training is
 * over; what nothing is to judge by, such as rounds that went on without us, passes.
 */
import type { Contribution, Machine } from "../../consensus/index.ts";
import { type ContributionId, type PeerId, type Verdict, accept } from "../../core/index.ts";
import type { Judged, Judgement } from "../learner/judge.ts";

export interface JudgingDeps {
  readonly machine: Machine;
  readonly self: PeerId;
  judge(round: number, candidates: readonly Judged[]): Promise<Judgement>;
  /** Called with what the gates say, and again where they think otherwise when more has come. */
  tell(id: ContributionId, verdict: Verdict<null>): void;
}

/** Counts since the node started, of bodies that the gates have looked at. */
export interface GateCounts {
  readonly judged: number;
  /** By reason. */
  readonly refused: Readonly<Record<string, number>>;
  readonly judgingMs: number;
}

export class Judging {
  readonly #deps: JudgingDeps;
  readonly #waiting = new Map<ContributionId, Contribution>();
  /** The round that was judged last, and what was said of its bodies: the code of a refusal. */
  #round = -1;
  readonly #told = new Map<ContributionId, string | undefined>();
  #counts: GateCounts = { judged: 0, refused: {}, judgingMs: 0 };

  constructor(deps: JudgingDeps) {
    this.#deps = deps;
  }

  get counts(): GateCounts {
    return this.#counts;
  }

  /** Its body is here and can be folded; after going over to another history, again: then the machine waits for a word once more. */
  add(contribution: Contribution): void {
    this.#told.delete(contribution.id);
    this.#waiting.set(contribution.id, contribution);
  }

  /** Whether `judge` has something to do. */
  get isDue(): boolean {
    for (const { header } of this.#waiting.values()) if (this.#isDue(header.round)) return true;
    return false;
  }

  /** Judges all that is due. */
  async judge(): Promise<void> {
    const due = [...this.#waiting.values()].filter(({ header }) => this.#isDue(header.round));
    for (const { id } of due) this.#waiting.delete(id);
    const { round } = this.#deps.machine;
    const now = due.filter(({ header }) => header.round === round);
    const verdicts = now.length === 0 ? null : await this.#verdictsOn(round, now);
    for (const { id } of due) if (verdicts?.has(id) !== true) this.#deps.tell(id, accept(null));
    for (const [id, verdict] of verdicts ?? []) this.#tell(id, verdict);
  }

  #isDue(round: number): boolean {
    const { machine } = this.#deps;
    const isOver = machine.stage === "idle" || machine.stage === "collecting" || machine.stage === "finished";
    return machine.stage === "idle" || round < machine.round || (round === machine.round && isOver);
  }

  async #verdictsOn(round: number, due: readonly Contribution[]): Promise<Judgement["verdicts"]> {
    const { machine, self } = this.#deps;
    if (round !== this.#round) this.#told.clear();
    this.#round = round;
    const own = machine.lastOwn;
    const ours = own?.header.round === round && own.header.delta !== null ? [own] : [];
    const candidates = [...ours, ...due].map(({ id, place, header: { author } }) => {
      const weight = machine.view.weightOf(author);
      return { id, order: place, weight, isOwn: author === self };
    });
    const { verdicts, judgingMs } = await this.#deps.judge(round, candidates);
    if (verdicts === null) return null;
    const { judged, refused, judgingMs: before } = this.#counts;
    this.#counts = { judged: judged + due.length, refused, judgingMs: before + judgingMs };
    return new Map([...verdicts].filter(([id]) => id !== ours[0]?.id));
  }

  #tell(id: ContributionId, verdict: Verdict<null>): void {
    const code = verdict.kind === "accept" ? undefined : verdict.code;
    const before = this.#told.get(id);
    if (this.#told.has(id) && before === code) return;
    this.#told.set(id, code);
    const refused = { ...this.#counts.refused };
    if (before !== undefined) refused[before] = (refused[before] ?? 0) - 1;
    if (code !== undefined) refused[code] = (refused[code] ?? 0) + 1;
    this.#counts = { ...this.#counts, refused };
    this.#deps.tell(id, verdict);
  }
}
