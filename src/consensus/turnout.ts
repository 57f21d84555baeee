/**
 * Who has published the round being worked on and later ones, in the voting weight of the electorate. Counted as things
 * come in: every message asks for it, and going through all contributions each time took most of a large flock's time.
 */
import type { PeerId } from "../core/index.ts";
import { type Electorate, isHalf, without } from "./electorate.ts";

/** The last round that an author is known to have published in; -1 for none. */
interface Latest {
  /** As headers say, whether bodies are here or not. */
  header: number;
  /** In full: with a body that passed. */
  passed: number;
}

const NOBODY: ReadonlySet<PeerId> = new Set();

export class Turnout {
  readonly #self: PeerId;
  #round: number;
  #electorate: Electorate;
  readonly #latest = new Map<PeerId, Latest>();
  /** Authors in full of each round from the one before this on. */
  readonly #authors = new Map<number, Set<PeerId>>();
  /** Whoever published the round before and not yet this one. */
  #expected = new Set<PeerId>();
  // Weights of those who published this round; of the others who published this or a later one, a later one, and a
  // later one as headers say.
  #here = 0;
  #hereOrLater = 0;
  #later = 0;
  #goneOn = 0;

  constructor(self: PeerId, electorate: Electorate, round: number = 0) {
    this.#self = self;
    this.#electorate = electorate;
    this.#round = round;
  }

  /** Counts for this round from now on; rounds only grow. */
  enter(round: number, electorate: Electorate): void {
    for (let r = this.#round - 1; r < round - 1; r++) this.#authors.delete(r);
    this.#round = round;
    this.#electorate = electorate;
    this.#here = this.#hereOrLater = this.#later = this.#goneOn = 0;
    const here = this.#authors.get(round) ?? NOBODY;
    for (const author of here) this.#here += electorate.weightOf(author);
    this.#expected = (this.#authors.get(round - 1) ?? new Set<PeerId>()).difference(here);
    for (const [author, { header, passed }] of this.#latest) {
      this.#countHeader(author, -1, header);
      this.#countPassed(author, -1, passed);
    }
  }

  /** Somebody's header of a round was linked. */
  takeHeader(author: PeerId, round: number): void {
    const latest = this.#latestOf(author);
    if (round <= latest.header) return;
    this.#countHeader(author, latest.header, round);
    latest.header = round;
  }

  /** Somebody's contribution of a round may be cited now. */
  takePassed(author: PeerId, round: number): void {
    if (round >= this.#round - 1) this.#takeAuthor(author, round);
    const latest = this.#latestOf(author);
    if (round <= latest.passed) return;
    this.#countPassed(author, latest.passed, round);
    latest.passed = round;
  }

  /** Half has published this round or a later one in full. */
  get isHalfHere(): boolean {
    return isHalf(this.#electorate, this.#hereOrLater, this.#self);
  }

  /** Half has published later rounds in full. */
  get isHalfLater(): boolean {
    return isHalf(this.#electorate, this.#later, this.#self);
  }

  /** Half has gone on to later rounds, as headers say: too late to train, whether bodies are here or not. */
  get isOutrun(): boolean {
    return isHalf(this.#electorate, this.#goneOn, this.#self);
  }

  /** `withSelf`: we published it ourselves, so our own weight counts too. */
  hasTwoThirds(withSelf: boolean): boolean {
    return 3 * this.#here >= 2 * this.#total(withSelf);
  }

  /**
   * All weight is in, and whoever published the round before: newcomers weigh nothing, but nobody would ever hear them
   * if they weren't given the grace.
   */
  hasAll(withSelf: boolean): boolean {
    const isSelfMissing = !withSelf && this.#expected.has(this.#self);
    const missing = this.#expected.size - (isSelfMissing ? 1 : 0);
    return missing === 0 && this.#here >= this.#total(withSelf);
  }

  #total(withSelf: boolean): number {
    return (withSelf ? this.#electorate : without(this.#electorate, this.#self)).total;
  }

  #latestOf(author: PeerId): Latest {
    const known = this.#latest.get(author);
    if (known !== undefined) return known;
    const latest = { header: -1, passed: -1 };
    this.#latest.set(author, latest);
    return latest;
  }

  #takeAuthor(author: PeerId, round: number): void {
    const authors = this.#authorsOf(round);
    const { size } = authors;
    if (authors.add(author).size === size) return;
    if (round === this.#round) {
      this.#here += this.#electorate.weightOf(author);
      this.#expected.delete(author);
    }
    if (round === this.#round - 1 && !this.#authors.get(this.#round)?.has(author)) this.#expected.add(author);
  }

  #authorsOf(round: number): Set<PeerId> {
    const known = this.#authors.get(round);
    if (known !== undefined) return known;
    const authors = new Set<PeerId>();
    this.#authors.set(round, authors);
    return authors;
  }

  #countHeader(author: PeerId, before: number, round: number): void {
    if (author === this.#self || before > this.#round || round <= this.#round) return;
    this.#goneOn += this.#electorate.weightOf(author);
  }

  #countPassed(author: PeerId, before: number, round: number): void {
    if (author === this.#self || round < this.#round) return;
    const weight = this.#electorate.weightOf(author);
    if (before < this.#round) this.#hereOrLater += weight;
    if (before <= this.#round && round > this.#round) this.#later += weight;
  }
}
