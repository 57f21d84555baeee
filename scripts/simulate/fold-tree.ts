/** Folded weights, each computed once however many nodes fold the same rounds onto the same weights. */
import { type DeltaReader } from "../../src/codec/index.ts";
import { type FoldTerm, foldRound } from "../../src/consensus/index.ts";
import { type ContributionId, type Digest, bytesOf, rootOfBytes } from "../../src/core/index.ts";

export class Folded {
  readonly root: Digest;
  /** (P,) */
  readonly #weights: Int32Array;
  /** Views that elect the same set share its terms. */
  readonly #next = new WeakMap<readonly FoldTerm[], Folded>();

  constructor(weights: Int32Array) {
    this.#weights = weights;
    this.root = rootOfBytes(bytesOf(weights));
  }

  /** These weights with one more round folded in. */
  after(terms: readonly FoldTerm[], readerOf: (id: ContributionId) => DeltaReader): Folded {
    const known = this.#next.get(terms);
    if (known !== undefined) return known;
    const weights = this.#weights.slice();
    foldRound(
      weights,
      terms.map(({ id, factor }) => ({ reader: readerOf(id), factor })),
      1,
    );
    const folded = new Folded(weights);
    this.#next.set(terms, folded);
    return folded;
  }
}
