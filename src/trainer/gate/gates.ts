/**
 * The gates: which deltas of a round a node finds worth citing, judged by what it learned in that round itself.
 *
 *   cosine   own delta . delta / (|own| |delta|) on the delta's support > cosineShare * median over the round, and > 0
 *   copy     of two deltas that are one piece of work the one that was heard of first stays: its header was out before
 *            anybody else could have its body. What history holds already is no new work either.
 *
 * The median is weighted by voting weight, so that keys that cost nothing do not move it. Every judgement looks at the
 * whole round again: who was alone when it came may stand out among more.
 */
import type { DeltaReader } from "../../codec/index.ts";
import { type Verdict, accept, ignore } from "../../core/index.ts";
import { type Look, type OwnRound, lookAt } from "./look.ts";
import { type Sample, drawSample } from "./sample.ts";
import type { GateSettings } from "./settings.ts";
import { type Sketch, likeness } from "./sketch.ts";

/** Sketches of what history holds, 4 KiB each; the oldest gives way. 64 rounds of 64 peers. */
const PAST_MAX = 4096;

export interface Candidate {
  readonly id: string;
  readonly delta: DeltaReader;
  /** Of two candidates of a round the one that was heard of first has the lower one. */
  readonly order: number;
  /** Voting weight of its author. */
  readonly weight: number;
  /** Our own: it passes, and does not count in the median. */
  readonly isOwn: boolean;
}

interface Seen extends Omit<Candidate, "delta">, Look {
  /** What of earlier rounds is the same work. */
  readonly earlier: string | undefined;
}

export class Gates {
  readonly #settings: GateSettings;
  readonly #secret: string;
  #sample: Sample | undefined;
  #round = -1;
  readonly #seen = new Map<string, Seen>();
  readonly #past = new Map<string, Sketch>();

  /** `secret`: what nobody else knows, from which the chunks to look at are drawn. */
  constructor(settings: GateSettings, secret: string) {
    this.#settings = settings;
    this.#secret = secret;
  }

  /** Takes more candidates of a round and judges all of it that came so far. `own`: our own turn of it. */
  judge(round: number, candidates: readonly Candidate[], own: OwnRound): Map<string, Verdict<null>> {
    if (round !== this.#round) this.#seen.clear();
    this.#round = round;
    this.#sample ??= drawSample(this.#secret, own.start.length);
    for (const { delta, ...candidate } of candidates) {
      const { id } = candidate;
      if (this.#seen.has(id)) continue;
      const look = lookAt(delta, own, this.#sample);
      this.#seen.set(id, { ...candidate, ...look, earlier: this.#earlier(id, look.sketch) });
    }
    const all = [...this.#seen.values()];
    const { cosineShare } = this.#settings;
    const bar = Math.max(0, cosineShare * medianCosine(all.filter(({ isOwn }) => !isOwn)));
    return new Map(all.map((seen) => [seen.id, this.#verdictOn(seen, all, bar)]));
  }

  /** These are in history: none of them is new work again. */
  include(ids: Iterable<string>): void {
    for (const id of ids) {
      const sketch = this.#seen.get(id)?.sketch;
      if (sketch !== undefined) this.#past.set(id, sketch);
      const [oldest] = this.#past.keys();
      if (oldest !== undefined && this.#past.size > PAST_MAX) this.#past.delete(oldest);
    }
  }

  #verdictOn(seen: Seen, all: readonly Seen[], bar: number): Verdict<null> {
    if (seen.isOwn) return accept(null);
    if (this.#settings.cosineShare > 0 && !(seen.cosine > bar))
      return ignore(
        "GATE_COSINE",
        `expected a cosine above ${bar.toFixed(3)} with our own delta, got ${seen.cosine.toFixed(3)}`,
      );
    const isCopy = (other: Seen): boolean =>
      other.order < seen.order && this.#isOneWork(other.sketch, seen.sketch);
    const original = all.find(isCopy);
    if (original !== undefined)
      return ignore("GATE_COPY", `expected new work, got what ${original.id} had done before`);
    if (seen.earlier !== undefined)
      return ignore("GATE_REPLAY", `expected new work, got what ${seen.earlier} did in an earlier round`);
    return accept(null);
  }

  /** After a change of histories a round may come again: nothing is a replay of itself. */
  #earlier(id: string, sketch: Sketch): string | undefined {
    for (const [other, past] of this.#past) if (other !== id && this.#isOneWork(past, sketch)) return other;
    return undefined;
  }

  #isOneWork(a: Sketch, b: Sketch): boolean {
    return likeness(a, b) > this.#settings.copyCosine;
  }
}

/** The greatest cosine that half of the weight reaches; where nobody weighs anything, heads count. */
function medianCosine(all: readonly Seen[]): number {
  const total = all.reduce((sum, { weight }) => sum + weight, 0);
  let left = (total || all.length) / 2;
  for (const { cosine, weight } of all.toSorted((a, b) => b.cosine - a.cosine)) {
    left -= total === 0 ? 1 : weight;
    if (left <= 0) return cosine;
  }
  return 0;
}
