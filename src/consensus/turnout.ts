/**
 * Who has published the round being worked on and later ones, in the voting weight of the electorate. Counted as things
 * come in, by authors' numbers (roster.ts): every message asks for it, and going through all contributions each time took
 * most of a large flock's time.
 */
import { type Electorate, isHalf, without } from "./electorate.ts";
import { Marks } from "./marks.ts";

const HERE = 1;

export class Turnout {
  readonly #self: number;
  #round: number;
  #electorate: Electorate;
  /** By author: one above the last round that it is known to have published in, as headers say. */
  #headers: Int32Array = new Int32Array(64);
  /** The same in full: with its body. */
  #full: Int32Array = new Int32Array(64);
  /** Authors in full of each round from the one before this on. */
  readonly #authors = new Marks();
  /** How many published the round before and not yet this one. */
  #expectedCount = 0;
  #authorsCount = 0;
  // Weights of those who published this round; of the others who published this or a later one, a later one, and a
  // later one as headers say.
  #here = 0;
  #hereOrLater = 0;
  #later = 0;
  #goneOn = 0;

  constructor(self: number, electorate: Electorate, round: number = 0) {
    this.#self = self;
    this.#electorate = electorate;
    this.#round = round;
  }

  get round(): number {
    return this.#round;
  }

  /** Counts for this round from now on; rounds only grow. */
  enter(round: number, electorate: Electorate): void {
    for (let r = this.#round - 1; r < round - 1; r++) this.#authors.forget(r);
    this.#round = round;
    this.#electorate = electorate;
    this.#here = this.#hereOrLater = this.#later = this.#goneOn = 0;
    this.#expectedCount = this.#authorsCount = 0;
    for (let author = 0; author < this.#full.length; author++) {
      if (this.#isIn(round, author)) {
        this.#here += electorate.weightOf(author);
        this.#authorsCount += 1;
      } else if (this.#isIn(round - 1, author)) this.#expectedCount += 1;
      this.#countHeader(author, -1, this.#headers[author] - 1);
      this.#countFull(author, -1, this.#full[author] - 1);
    }
  }

  /** Somebody's header of a round was linked. */
  takeHeader(author: number, round: number): void {
    if (author >= this.#headers.length) this.#makeRoom(author);
    const latest = this.#headers[author] - 1;
    if (round <= latest) return;
    this.#countHeader(author, latest, round);
    this.#headers[author] = round + 1;
  }

  /** Somebody's contribution of a round is here in full now. */
  takeFull(author: number, round: number): void {
    if (round >= this.#round - 1) this.#takeAuthor(author, round);
    if (author >= this.#full.length) this.#makeRoom(author);
    const latest = this.#full[author] - 1;
    if (round <= latest) return;
    this.#countFull(author, latest, round);
    this.#full[author] = round + 1;
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

  /** How many authors have published this round in full. */
  get authorsCount(): number {
    return this.#authorsCount;
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
    const isSelfExpected = this.#isIn(this.#round - 1, this.#self) && !this.#isIn(this.#round, this.#self);
    const missing = this.#expectedCount - (!withSelf && isSelfExpected ? 1 : 0);
    return missing === 0 && this.#here >= this.#total(withSelf);
  }

  #total(withSelf: boolean): number {
    return (withSelf ? this.#electorate : without(this.#electorate, this.#self)).total;
  }

  #isIn(round: number, author: number): boolean {
    return this.#authors.get(round, author) === HERE;
  }

  #takeAuthor(author: number, round: number): void {
    if (this.#isIn(round, author)) return;
    this.#authors.set(round, author, HERE);
    if (round === this.#round) {
      this.#here += this.#electorate.weightOf(author);
      this.#authorsCount += 1;
      if (this.#isIn(round - 1, author)) this.#expectedCount -= 1;
    }
    if (round === this.#round - 1 && !this.#isIn(this.#round, author)) this.#expectedCount += 1;
  }

  #countHeader(author: number, before: number, round: number): void {
    if (author === this.#self || before > this.#round || round <= this.#round) return;
    this.#goneOn += this.#electorate.weightOf(author);
  }

  #countFull(author: number, before: number, round: number): void {
    if (author === this.#self || round < this.#round) return;
    const weight = this.#electorate.weightOf(author);
    if (before < this.#round) this.#hereOrLater += weight;
    if (before <= this.#round && round > this.#round) this.#later += weight;
  }

  #makeRoom(author: number): void {
    this.#headers = longer(this.#headers, 2 * author);
    this.#full = longer(this.#full, 2 * author);
  }
}

function longer(array: Int32Array, length: number): Int32Array {
  const copy = new Int32Array(length);
  copy.set(array);
  return copy;
}
