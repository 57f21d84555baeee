/**
 * The contributions we hold, linked to their parents. Admission checks all that headers can show about each other;
 * headers whose parents we lack are queued (bounded), never refused.
 */
import { type Cid, type ContributionId, type PeerId, type Refused, ignore } from "../core/index.ts";
import { Commons } from "./commons.ts";
import { type PhaseOptions, misfitContinuity, misfitParents } from "./fit.ts";
import { convictedBy, isSameTurn } from "./equivocations.ts";
import type { Header } from "./header.ts";
import { Marks } from "./marks.ts";
import { WaitingHeaders } from "./waiting.ts";
import type { Contribution, View } from "./view.ts";

/** Contributions kept of one author, round and history: two prove an equivocation, more prove nothing new. */
const PER_HISTORY_MAX = 2;
/** The same over all histories: who lost a history may come to the same round again in another. Guess. */
const PER_AUTHOR_MAX = 8;
/** Contributions kept per round, as a multiple of membersMax; beyond it no strangers are let in that nobody cites. Guess. */
const PER_ROUND_FACTOR = 4;

export interface GraphOptions extends PhaseOptions {
  /** Given by a process that runs many graphs of one phase. */
  readonly commons?: Commons;
}

/** Rounds ahead of ours that are kept of those who weigh nothing here yet. Guess. */
export const AHEAD_ROUNDS_MAX = 64;
/**
 * And of those who weigh something: who is left far behind finds nobody any more who holds the bodies of its own rounds, and steps onto a
 * settled state that only headers of now speak of. Some megabytes for each author. Guess: a day of rounds of 20 s.
 */
export const AHEAD_ROUNDS_KNOWN_MAX = 4096;

/** What decides whether there is room for a header. Free keys must not take the room of those whose work is accepted. */
export interface Room {
  /** Whether the author weighs something for us, or is ourselves. */
  isKnown(author: PeerId): boolean;
  /** The highest round that there is room for, of strangers and of those who are known. */
  readonly roundMax: number;
  readonly roundMaxKnown: number;
}

const FOR_STRANGERS: Room = { isKnown: () => false, roundMax: Infinity, roundMaxKnown: Infinity };

export type Admission =
  | { kind: "added"; contributions: readonly Contribution[] }
  /** Queued; `missing`: the parents that nothing was seen of yet. */
  | { kind: "waiting"; missing: readonly ContributionId[] }
  | Refused;

export class ContributionGraph {
  readonly #options: GraphOptions;
  readonly #commons: Commons;
  /** What of all that is linked in this process we hold. */
  readonly #held = new Marks();
  readonly #byRound: Contribution[][] = [];
  /** Which authors something is linked of in each round, by their numbers. */
  readonly #authors = new Marks();
  /** Those that came after another of their author and round. */
  readonly #repeated = new Set<Contribution>();
  /** Lists of parents that are all linked; views of one set of parents may share the list. */
  readonly #complete = new WeakSet<readonly ContributionId[]>();
  /** The one that was asked for last: most headers of a round share it. */
  #lastComplete: readonly ContributionId[] | undefined;
  readonly #waiting = new WaitingHeaders();
  /** Headers that are named as evidence, of rounds that had settled in our base. */
  readonly #loose = new Map<ContributionId, Header>();
  /** The first round that is linked: its parents are not looked for. */
  readonly #firstRound: number;

  constructor(options: GraphOptions) {
    this.#options = options;
    this.#commons = options.commons ?? new Commons(options);
    this.#firstRound = options.base?.round ?? 0;
  }

  get(id: ContributionId): Contribution | undefined {
    const contribution = this.#commons.linked(id);
    return contribution !== undefined && this.#holds(contribution) ? contribution : undefined;
  }

  has(id: ContributionId): boolean {
    return this.get(id) !== undefined || this.#isQueued(id);
  }

  /** The same for what another graph of this process has linked, without a look at its id where that can be saved. */
  knows(c: Contribution): boolean {
    return (c.view.context === this.#commons.context && this.#holds(c)) || this.has(c.id);
  }

  /** Of an author in this process. */
  numberOf(author: PeerId): number {
    return this.#commons.roster.numberOf(author);
  }

  round(round: number): readonly Contribution[] {
    return this.#byRound[round] ?? [];
  }

  /** One above the highest round that anything is known of. */
  get roundsCount(): number {
    return this.#byRound.length;
  }

  /** How many headers are queued. */
  get waitingCount(): number {
    return this.#waiting.size;
  }

  /** Parents that queued headers wait for and that are not queued themselves. */
  missing(): ContributionId[] {
    return this.#waiting.missing();
  }

  /** All of an author, by round. */
  of(author: PeerId): Contribution[] {
    const number = this.#commons.roster.find(author);
    if (number === undefined) return [];
    return this.#byRound.flatMap((round, r) =>
      this.#authors.get(r, number) > 0 ? round.filter((c) => c.authorNumber === number) : [],
    );
  }

  /** Another contribution of the same author, round and history. */
  twinOf(c: Contribution): Contribution | undefined {
    if (this.#repeated.size === 0 || !this.#repeated.has(c)) return undefined;
    return this.round(c.header.round).find((other) => other !== c && isSameTurn(other.header, c.header));
  }

  view(round: number, parents: readonly Contribution[]): View {
    return this.#commons.view(round, parents);
  }

  /** Takes a header whose signature holds. Also links the queued headers that waited for it. */
  add(id: ContributionId, header: Header, room: Room = FOR_STRANGERS): Admission {
    const linkedHere = this.#commons.linked(id);
    if ((linkedHere !== undefined && this.#holds(linkedHere)) || this.#isQueued(id))
      return ignore("HEADER_KNOWN", id);
    const misfit = linkedHere === undefined ? this.#commons.misfitOf(header) : undefined;
    if (misfit?.kind === "reject") this.#waiting.dropChildren(id);
    const refused = misfit ?? this.#checkRoom(id, header, room);
    if (refused !== undefined) return refused;
    if (header.round < this.#firstRound) return this.#keepLoose(id, header, room);
    const missing = this.#missingOf(header);
    if (missing.length > 0) return { kind: "waiting", missing: this.#waiting.put(id, header, missing) };
    const linked = this.#link(id, header, linkedHere);
    if ("kind" in linked) {
      this.#waiting.dropChildren(id);
      return linked;
    }
    return { kind: "added", contributions: [linked, ...this.#release(id, room)] };
  }

  #holds({ header, place }: Contribution): boolean {
    return this.#held.get(header.round, place) > 0;
  }

  #isQueued(id: ContributionId): boolean {
    return this.#waiting.has(id) || this.#loose.has(id);
  }

  /** Of what had settled in our base, only what somebody names as evidence is of any use. */
  #keepLoose(id: ContributionId, header: Header, room: Room): Admission {
    if (!this.#waiting.isWanted(id))
      return ignore("HEADER_BEFORE_BASE", `expected round ${this.#firstRound} or later, got ${header.round}`);
    this.#loose.set(id, header);
    return { kind: "added", contributions: this.#release(id, room) };
  }

  #missingOf({ round, parents, evidence }: Header): ContributionId[] {
    const missing = proofIdsOf(evidence).filter((id) => this.#headerOf(id) === undefined);
    if (round === this.#firstRound || this.#isComplete(parents)) return missing;
    return [...parents.filter((parent) => this.get(parent) === undefined), ...missing];
  }

  /** Whether all of them are linked. */
  #isComplete(parents: readonly ContributionId[]): boolean {
    if (parents === this.#lastComplete) return true;
    const isComplete =
      this.#complete.has(parents) || parents.every((parent) => this.get(parent) !== undefined);
    if (!isComplete) return false;
    this.#complete.add(parents);
    this.#lastComplete = parents;
    return true;
  }

  #headerOf(id: ContributionId): Header | undefined {
    return this.get(id)?.header ?? this.#loose.get(id);
  }

  /** `linkedHere`: by another graph of this process. */
  #link(
    id: ContributionId,
    header: Header,
    linkedHere: Contribution | undefined = this.#commons.linked(id),
  ): Contribution | Refused {
    const contribution = linkedHere ?? this.#build(id, header);
    if ("kind" in contribution) return contribution;
    const { place, authorNumber } = contribution;
    const { round } = header;
    while (this.#byRound.length <= round) this.#byRound.push([]);
    this.#byRound[round]?.push(contribution);
    this.#held.set(round, place, 1);
    if (this.#authors.get(round, authorNumber) > 0) this.#repeated.add(contribution);
    else this.#authors.set(round, authorNumber, 1);
    return contribution;
  }

  /** All parents are linked, and all evidence is here. */
  #build(id: ContributionId, header: Header): Contribution | Refused {
    const named = header.round === this.#firstRound ? [] : header.parents;
    const parents = named.map((parent) => this.get(parent) as Contribution);
    const misfit = misfitParents(header, parents);
    if (misfit !== undefined) return misfit;
    const convicts = convictedBy(
      header,
      proofIdsOf(header.evidence).map((each) => this.#headerOf(each) as Header),
    );
    if ("kind" in convicts) return convicts;
    const view = this.view(header.round, parents);
    const { round, root } = header.settled;
    const lineage = round > view.lineage.round ? view.lineage.next(root) : view.lineage;
    if (lineage.root !== root || !lineage.agrees(this.#commons.tip))
      return ignore("HEADER_OTHER_HISTORY", `expected a history with root ${this.#commons.tip.root}`);
    const fit = { id, header, view, lineage, convicts };
    return misfitContinuity(fit, this.#options) ?? this.#commons.link(fit);
  }

  /** What waited for it and now has all that it names, and so on. A queued misfit is dropped. */
  #release(first: ContributionId, room: Room): readonly Contribution[] {
    const released: Contribution[] = [];
    const queue = [first];
    for (let id = queue.shift(); id !== undefined; id = queue.shift()) {
      for (const [child, header] of this.#waiting.arrived(id)) {
        if (this.#missingOf(header).length > 0) continue;
        this.#waiting.delete(child);
        // The round may have filled up meanwhile; whoever cites the child gets it by asking.
        if (this.#checkRoom(child, header, room) !== undefined) continue;
        const linked = this.#link(child, header);
        if ("kind" in linked) {
          this.#waiting.dropChildren(child);
          continue;
        }
        released.push(linked);
        queue.push(child);
      }
    }
    return released;
  }

  /** Bounds what free keys can make us keep. What somebody cites is let in, so that history can always be linked. */
  #checkRoom(id: ContributionId, h: Header, room: Room): Refused | undefined {
    if (this.#waiting.isWanted(id)) return undefined;
    const isFar = h.round > room.roundMax;
    const roundMax = isFar && room.isKnown(h.author) ? room.roundMaxKnown : room.roundMax;
    if (h.round > roundMax)
      return ignore("ROUND_AHEAD", `expected at most round ${roundMax}, got ${h.round}`);
    const sameRound = this.round(h.round);
    const number = this.#commons.roster.find(h.author);
    if (number !== undefined && this.#authors.get(h.round, number) > 0) {
      const ofAuthor = sameRound.filter(({ authorNumber }) => authorNumber === number);
      const sameHistory = ofAuthor.filter(({ header }) => header.settled.root === h.settled.root);
      if (sameHistory.length >= PER_HISTORY_MAX || ofAuthor.length >= PER_AUTHOR_MAX)
        return ignore("AUTHOR_EQUIVOCATES", `${h.author} in round ${h.round}`);
    }
    const most = PER_ROUND_FACTOR * this.#options.rule.membersMax;
    if (sameRound.length >= most && !room.isKnown(h.author))
      return ignore("ROUND_FULL", `expected at most ${most} in round ${h.round}`);
    return undefined;
  }
}

/** All evidence that there is today is contributions. */
function proofIdsOf(evidence: readonly Cid[]): readonly ContributionId[] {
  return evidence as readonly ContributionId[];
}
