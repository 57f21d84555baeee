/**
 * Sets of contributions of one round: lists sorted by id, without authors who are in them twice (both fall out). Always the
 * same list for the same set, so that whoever computes something for a set finds it by its list; and of hundreds of
 * machines in one process that cite the same, only the first sorts.
 */
import type { Contribution } from "./view.ts";

const EMPTY: readonly Contribution[] = [];

export class Sets {
  readonly #lists = new WeakSet<readonly Contribution[]>([EMPTY]);
  /** By a sum over what is in them. */
  readonly #bySum = new Map<number, (readonly Contribution[])[]>();
  readonly #places = new Tally();
  readonly #authors = new Tally();

  of(contributions: readonly Contribution[]): readonly Contribution[] {
    if (this.#lists.has(contributions)) return contributions;
    this.#authors.clear();
    for (const { authorNumber } of contributions) this.#authors.add(authorNumber);
    const single = contributions.filter(({ authorNumber }) => this.#authors.count(authorNumber) === 1);
    if (single.length === 0) return EMPTY;
    const sum = sumOf(single);
    const alike = this.#bySum.get(sum);
    const known = alike && this.#find(single, alike);
    if (known !== undefined) return known;
    const list = single.toSorted((a, b) => (a.id < b.id ? -1 : 1));
    this.#lists.add(list);
    if (alike === undefined) this.#bySum.set(sum, [list]);
    else alike.push(list);
    return list;
  }

  /** The list of the same set among those with the same sum. */
  #find(
    single: readonly Contribution[],
    alike: readonly (readonly Contribution[])[],
  ): readonly Contribution[] | undefined {
    const [{ header: first }] = single as [Contribution];
    this.#places.clear();
    for (const { place } of single) this.#places.add(place);
    return alike.find(
      (list) =>
        list.length === single.length &&
        list[0]?.header.round === first.round &&
        list.every(({ place }) => this.#places.count(place) > 0),
    );
  }
}

/** How often each of some small numbers came; clearing it costs nothing. */
class Tally {
  /** By number: the turn in which it came, and how often. */
  #turns = new Uint32Array(64);
  #counts = new Uint32Array(64);
  #turn = 0;

  clear(): void {
    this.#turn += 1;
  }

  add(number: number): void {
    if (number >= this.#turns.length) this.#grow(2 * number);
    this.#counts[number] = this.count(number) + 1;
    this.#turns[number] = this.#turn;
  }

  count(number: number): number {
    return this.#turns[number] === this.#turn ? (this.#counts[number] as number) : 0;
  }

  #grow(length: number): void {
    const [turns, counts] = [this.#turns, this.#counts];
    this.#turns = new Uint32Array(length);
    this.#counts = new Uint32Array(length);
    this.#turns.set(turns);
    this.#counts.set(counts);
  }
}

/** The same in any order; sets that differ rarely have the same. */
function sumOf(contributions: readonly Contribution[]): number {
  let sum = 0;
  for (const { header, place } of contributions)
    sum = (sum + (Math.imul(place + 1, 0x9e3779b1) ^ header.round)) | 0;
  return sum;
}
