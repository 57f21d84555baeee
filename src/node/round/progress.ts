/** What a node counts about itself, for its status. */
import type { Contribution, ContributionGraph, View } from "../../consensus/index.ts";
import type { PeerId } from "../../core/index.ts";
import type { CurvePoint } from "../status.ts";

export interface RoundTraining {
  readonly trainingMs: number;
  readonly stepsNotApplied: number;
  readonly devicesCount: number;
  readonly work: { readonly tokens: number; readonly lossLast: number | null };
}

export class Progress {
  lossNats: number | null = null;
  validationLossNats: number | null = null;
  validationLossFirstNats: number | null = null;
  validationLossLastNats: number | null = null;
  tokensPerSecond: number | null = null;
  trainingSeconds = 0;
  stepsSettled = 0;
  stepsNotApplied = 0;
  devicesCount: number | null = null;
  readonly curve: CurvePoint[] = [];
  #published = 0;
  #deltaBytes = 0;
  #settledRound = 0;
  #includedSettled = 0;

  countPublished(deltaBytes: number): void {
    this.#published += 1;
    this.#deltaBytes += deltaBytes;
  }

  get contributionsPublished(): number {
    return this.#published;
  }

  get deltaBytesMean(): number | null {
    return this.#published === 0 ? null : this.#deltaBytes / this.#published;
  }

  countTraining({ trainingMs, stepsNotApplied, devicesCount, work }: RoundTraining): void {
    this.stepsNotApplied += stepsNotApplied;
    const { tokens, lossLast } = work;
    if (tokens === 0) return;
    this.devicesCount = devicesCount;
    this.trainingSeconds += trainingMs / 1000;
    this.tokensPerSecond = (1000 * tokens) / trainingMs;
    this.lossNats = lossLast;
  }

  addPoint(point: CurvePoint): void {
    this.validationLossNats = point.validationLossNats;
    this.curve.push(point);
  }

  /** Own steps in the rounds that have settled since the last call. */
  countSettled(self: PeerId, view: View, round: number): void {
    for (; this.#settledRound < round; this.#settledRound++) {
      const own = ownIn(view, self, this.#settledRound);
      if (own === undefined) continue;
      this.#includedSettled += 1;
      this.stepsSettled += own.header.work.steps;
    }
  }

  /** Own contributions with work in them that the view includes. */
  contributionsIncluded(self: PeerId, view: View): number {
    let included = this.#includedSettled;
    for (let r = this.#settledRound; r < view.round; r++)
      if (ownIn(view, self, r) !== undefined) included += 1;
    return included;
  }

  /** Takes up the counts that history on disk still shows. */
  resume(graph: ContributionGraph, self: PeerId): void {
    for (const { header } of graph.of(self)) if (header.delta) this.countPublished(header.delta.bytes);
  }

  /** What had settled is void: count it anew. */
  restart(): void {
    this.#settledRound = 0;
    this.#includedSettled = 0;
    this.stepsSettled = 0;
  }
}

function ownIn(view: View, self: PeerId, round: number): Contribution | undefined {
  return view.included(round).find(({ header }) => header.author === self && header.delta !== null);
}
