/** How long each round took, by what the node was doing: kept by looking at the machine's stage whenever it may have moved. */
import type { Stage } from "../../consensus/index.ts";
import type { RoundSpan } from "../../dashboard/index.ts";

/** Guess: a screen is some thirty bars wide. */
const ROUNDS_MAX = 64;

type Part = "waitMs" | "foldMs" | "trainMs" | "publishMs" | "collectMs";

const PART_OF: Readonly<Record<Stage, Part | undefined>> = {
  idle: undefined,
  waiting: "waitMs",
  folding: "foldMs",
  training: "trainMs",
  publishing: "publishMs",
  collecting: "collectMs",
  finished: undefined,
};

type Span = { -readonly [K in keyof RoundSpan]: RoundSpan[K] };

/** Called with the time that the node spent in a stage that has just ended. */
export type StageEnded = (stage: Stage, durationMs: number) => void;

export class Timeline {
  readonly #ended: StageEnded;
  readonly #spans: Span[] = [];
  #stage: Stage = "idle";
  #round = -1;
  #sinceMs = 0;

  constructor(ended: StageEnded) {
    this.#ended = ended;
  }

  /** What the machine is at now. */
  note(round: number, stage: Stage, nowMs: number): void {
    if (round === this.#round && stage === this.#stage) return;
    const durationMs = nowMs - this.#sinceMs;
    const last = this.#spans.at(-1);
    const part = PART_OF[this.#stage];
    if (part !== undefined && last !== undefined) {
      last[part] += durationMs;
      this.#ended(this.#stage, durationMs);
    }
    if (last?.endedMs === null && (round !== this.#round || stage === "finished")) last.endedMs = nowMs;
    if (this.#spans.at(-1)?.round !== round && PART_OF[stage] !== undefined) this.#begin(round, nowMs);
    this.#round = round;
    this.#stage = stage;
    this.#sinceMs = nowMs;
  }

  /** Oldest first; the round that goes on counts up to now. */
  spans(nowMs: number): RoundSpan[] {
    const part = PART_OF[this.#stage];
    return this.#spans.map((span, i) =>
      i === this.#spans.length - 1 && part !== undefined
        ? { ...span, [part]: span[part] + nowMs - this.#sinceMs }
        : { ...span },
    );
  }

  #begin(round: number, nowMs: number): void {
    const none = { waitMs: 0, foldMs: 0, trainMs: 0, publishMs: 0, collectMs: 0 };
    this.#spans.push({ round, startedMs: nowMs, endedMs: null, ...none });
    if (this.#spans.length > ROUNDS_MAX) this.#spans.shift();
  }
}

/** Rounds that the share is taken over. Guess. */
const SHARE_ROUNDS = 8;

/** Share of the last rounds' time that went into training; null before there was any. */
export function trainingShare(spans: readonly RoundSpan[], nowMs: number): number | null {
  const recent = spans.slice(-SHARE_ROUNDS);
  const first = recent[0];
  const last = recent.at(-1);
  if (first === undefined || last === undefined) return null;
  const totalMs = (last.endedMs ?? nowMs) - first.startedMs;
  const trainedMs = recent.reduce((sum, span) => sum + span.trainMs, 0);
  return totalMs <= 0 ? null : Math.min(1, trainedMs / totalMs);
}
