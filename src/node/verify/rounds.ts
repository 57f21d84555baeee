/**
 * Round by round: every delta is what its header says, and every contribution starts from, and names as settled, what
 * its citations fold to.
 */
import { type DeltaReader, codecAt, openDelta } from "../../codec/index.ts";
import {
  type Contribution,
  type ContributionGraph,
  type View,
  settledRoot,
  settledRoundAt,
} from "../../consensus/index.ts";
import { type Digest, type Verdict, bytesOf, reject, rootOfBytes } from "../../core/index.ts";
import { type Archive, readBody } from "../../storage/index.ts";
import type { SoundCheckpoint } from "./checkpoint-check.ts";
import type { Tally } from "./findings.ts";
import type { Landmark } from "./landmark.ts";
import type { PhaseFacts } from "./phase.ts";
import { Replay } from "./replay.ts";
import { type SettledHistory, firstParent, isElsewhere } from "./settled-history.ts";

export interface RoundsOptions {
  readonly source: Pick<Archive, "block">;
  readonly facts: PhaseFacts;
  readonly graph: ContributionGraph;
  readonly history: SettledHistory;
  readonly tally: Tally;
  /** The settled round that the phase ends with, where another grows from it. */
  readonly endRound: number | undefined;
  /** Saved states of this history, to go on from where deltas are missing. */
  readonly checkpoints: () => Promise<ReadonlyMap<number, SoundCheckpoint>>;
}

export class Rounds {
  readonly #options: RoundsOptions;
  readonly #replay: Replay;
  /** Settled roots as recomputed, by round; undefined where a delta was missing. */
  readonly #roots = new Map<number, Digest | undefined>();
  /** Contributions that build on this history's settled rounds, as their citations show. */
  readonly #members = new Set<Contribution>();
  /** Roots that honest contributions of other histories name, as `round root`. */
  readonly #elsewhere = new Set<string>();
  /** Settled roots below this round were compared with headers by an earlier check. */
  #checkedBelow = 0;
  #endWeights: Int32Array | undefined;

  constructor(options: RoundsOptions) {
    const { facts } = options;
    this.#options = options;
    this.#replay = new Replay(facts.start, facts.parametersCount);
    this.#roots.set(0, facts.graph.startSettled);
  }

  /** Rounds below this one are folded into the settled weights. */
  get settledRound(): number {
    return this.#replay.round;
  }

  /** The weights at the end of the phase; undefined before it, and where they could not be recomputed. (P,) */
  get endWeights(): Int32Array | undefined {
    return this.#endWeights;
  }

  /** Where another check can go on from: the settled state, but not beyond the end, whose weights are needed again. */
  get landmark(): Landmark | undefined {
    const { endRound } = this.#options;
    const isPastEnd = this.#endWeights !== undefined && endRound !== undefined;
    const round = isPastEnd ? endRound : this.#replay.round;
    const root = this.rightRoot(round);
    const weights = isPastEnd ? this.#endWeights : this.#replay.settled;
    return root === undefined || weights === undefined || round === 0 ? undefined : { round, root, weights };
  }

  /**
   * Goes on where an earlier check ended, a few rounds back: what was unsettled then is looked at again. False when
   * it was of another history, or when deltas for it are gone.
   */
  async resume({ round, root, weights }: Landmark): Promise<boolean> {
    const { history, facts, graph } = this.#options;
    const { settleDepth } = facts.graph.rule;
    const isOurs = round <= history.view.settledRound && this.#rootOf(round, weights) === root;
    const named = history.spine[round + settleDepth]?.header.settled.root ?? root;
    if (!isOurs || named !== root) return false;
    const first = Math.max(0, round - settleDepth);
    for (let r = first; r < round; r++) {
      for (const c of graph.round(r)) {
        const reader = await this.#read(c);
        if (reader?.kind === "accept") this.#replay.hold(c, reader.value);
      }
    }
    this.#replay.adopt(weights, round);
    if (!this.#replay.unsettle(history.view, first)) {
      if (facts.start !== undefined) this.#replay.adopt(facts.start, 0);
      return false;
    }
    this.#checkedBelow = first;
    for (let r = 0; r < round; r++) {
      for (const c of graph.round(r)) if (!isElsewhere(history, c)) this.#members.add(c);
    }
    return true;
  }

  async check(round: number): Promise<void> {
    const { graph, history, facts } = this.#options;
    const contributions = graph.round(round);
    for (const c of contributions) await this.#checkDelta(c);
    const settled = settledRoundAt(round, facts.graph.rule);
    if (settled <= history.view.settledRound) await this.#settle(settled);
    for (const c of contributions) this.#checkClaims(c, settled);
  }

  /** The rounds that have settled behind the tip, which nobody has built on yet. */
  async finish(): Promise<{ round: number; root: Digest } | undefined> {
    const { settledRound } = this.#options.history.view;
    await this.#settle(settledRound);
    const root = this.#roots.get(settledRound);
    return root && { round: settledRound, root };
  }

  /** This history's settled root of a round, as recomputed now or by the check before; undefined: not known. */
  rightRoot(round: number): Digest | undefined {
    const { history, facts } = this.#options;
    if (round >= this.#checkedBelow) return this.#roots.get(round);
    return history.spine[round + facts.graph.rule.settleDepth]?.header.settled.root;
  }

  isElsewhere(round: number, root: Digest): boolean {
    return this.#elsewhere.has(`${round} ${root}`);
  }

  async #settle(to: number): Promise<void> {
    const { history } = this.#options;
    for (let round = this.#replay.round; round <= to; round++) {
      const weightsRoot = this.#replay.settle(history.view, round);
      if (weightsRoot !== undefined) this.#roots.set(round, this.#rootOf(round, this.#replay.settled));
      else await this.#adoptCheckpoint(round);
      if (round === this.#options.endRound && !this.#replay.isBroken)
        this.#endWeights = this.#replay.settled.slice();
    }
  }

  /** Deltas were missing: a checkpoint whose root contributions of this history name will do from here on. */
  async #adoptCheckpoint(round: number): Promise<void> {
    const { history, facts, checkpoints } = this.#options;
    const checkpoint = (await checkpoints()).get(round);
    const named = history.spine[round + facts.graph.rule.settleDepth]?.header.settled.root;
    if (checkpoint === undefined || this.#rootOf(round, checkpoint.weights) !== named) return;
    this.#replay.adopt(checkpoint.weights, round);
    this.#roots.set(round, named);
  }

  #rootOf(round: number, weights: Int32Array): Digest {
    const { facts, history } = this.#options;
    const { run, phase, startSettled } = facts.graph;
    if (round === 0) return startSettled;
    const accounts = history.view.accountsAt(round);
    return settledRoot({ run, phase, round, weightsRoot: rootOfBytes(bytesOf(weights)), accounts });
  }

  async #checkDelta(c: Contribution): Promise<void> {
    const { tally } = this.#options;
    const read = await this.#read(c);
    if (read === undefined) return;
    if (read.kind === "accept") {
      tally.checked.deltas += 1;
      this.#replay.hold(c, read.value);
    } else if (read.kind === "reject") tally.refuse(c.id, read);
    else tally.unchecked.deltas += 1;
  }

  /** Undefined for a contribution without a delta; `ignore` when the delta is not here. */
  async #read({ header: { delta }, view }: Contribution): Promise<Verdict<DeltaReader> | undefined> {
    if (delta === null) return undefined;
    const { source, facts } = this.#options;
    const body = await readBody((cid) => source.block(cid), delta.cid, delta.bytes);
    if (body.kind !== "accept") return body;
    if (body.value.length !== delta.bytes) {
      return reject(
        "DELTA_BYTES",
        `expected ${delta.bytes} bytes as the header says, got ${body.value.length}`,
      );
    }
    const opened = openDelta(body.value, facts.lengths, codecAt(facts.codec, view.settledTokens()));
    if (opened.kind === "accept" && opened.value.norm !== delta.norm) {
      return reject("DELTA_NORM", `expected norm ${delta.norm} as the header says, got ${opened.value.norm}`);
    }
    return opened;
  }

  #checkClaims(c: Contribution, settled: number): void {
    const { tally } = this.#options;
    if (settled < this.#checkedBelow) return;
    const root = this.#roots.get(settled);
    const isMember = this.#isMember(c, settled);
    if (isMember) this.#members.add(c);
    const { settled: named, start } = c.header;
    if (!isMember && named.root !== root) {
      tally.otherHistories += 1;
      this.#elsewhere.add(`${named.round} ${named.root}`);
      return;
    }
    if (root === undefined) {
      tally.unchecked.claims += 1;
      return;
    }
    if (!isMember || named.root !== root) {
      const expected = isMember ? root : "the root of the history that it cites";
      tally.find(
        "SETTLED_ROOT",
        c.id,
        `expected settled root ${expected} of round ${settled}, got ${named.root}`,
      );
      return;
    }
    const actual = this.#startOf(c.view);
    if (actual === undefined) tally.unchecked.claims += 1;
    else if (actual !== start)
      tally.find("START_ROOT", c.id, `expected to start from ${actual}, got ${start}`);
    else tally.checked.claims += 1;
  }

  /** By induction: a parent is one, and the round that has settled since is the same. */
  #isMember({ view, header }: Contribution, settled: number): boolean {
    if (settled === 0) return true;
    const { history, graph } = this.#options;
    const parent = firstParent(graph, header);
    if (parent === undefined || !this.#members.has(parent)) return false;
    return (
      settled <= history.view.settledRound &&
      sameSet(view.included(settled - 1), history.view.included(settled - 1))
    );
  }

  #view: View | undefined;
  #start: Digest | undefined;

  /** Most contributions of a round share one view. */
  #startOf(view: View): Digest | undefined {
    if (this.#view !== view) {
      this.#view = view;
      this.#start = this.#replay.startOf(view);
    }
    return this.#start;
  }
}

function sameSet(a: readonly Contribution[], b: readonly Contribution[]): boolean {
  return a.length === b.length && a.every((c, i) => c === b[i]);
}
