/** What a delta must pass before a node cites it (docs/design.md, section 10). Local judgement: peers may differ. */

export interface GateSettings {
  /** Least gain on the author's own batch, nats per token; a delta that moves nothing gains 0. */
  readonly gainNatsMin: number;
  /** Least cosine with our own dense delta on its support. */
  readonly cosineMin: number;
  /** Two deltas of a higher cosine are one piece of work. */
  readonly copyCosine: number;
}
