/** Hand-made histories: valid headers in a real graph, by authors with one-word names. */
import {
  type Contribution,
  ContributionGraph,
  type GraphOptions,
  type Header,
  type UnsignedHeader,
  batchSeed,
  encodeHeader,
  parseHeader,
  settledRoundAt,
} from "../../../src/consensus/index.ts";
import {
  type ContributionId,
  type PeerId,
  RAW,
  assert,
  cidOf,
  digestFromBytes,
  digestOf,
  sha256,
} from "../../../src/core/index.ts";
import { digestOfText, peerOf, textBytes } from "../../support/run-of.ts";

export interface Made {
  readonly id: ContributionId;
  readonly header: Header;
}

export interface Details {
  /** Inner steps; 0 makes a closing contribution. */
  readonly steps?: number;
  readonly norm?: number;
  /** Tells two contributions of one author and round apart. */
  readonly variant?: string;
  readonly change?: (header: UnsignedHeader) => UnsignedHeader;
}

export class History {
  readonly options: GraphOptions;
  readonly graph: ContributionGraph;

  constructor(options: GraphOptions) {
    this.options = options;
    this.graph = new ContributionGraph(options);
  }

  /** A header that the graph takes, unless `change` makes it wrong. */
  make(name: string, parents: readonly Made[], details: Details = {}): Made {
    const { steps = 10, norm = 1000, variant = "", change = (h) => h } = details;
    const { run, phase, rule, limits, startRoot, startSettled, zeroState } = this.options;
    const author = peerOf(name);
    const before = parents.find(({ header }) => header.author === author)?.header;
    const round = parents.length === 0 ? 0 : parents[0].header.round + 1;
    const settledRound = settledRoundAt(round, rule);
    const settledRoot = settledRound === 0 ? startSettled : digestOfText(`settled/${settledRound}`);
    const label = `${name}/${round}/${variant}`;
    const header = change({
      v: 1,
      run,
      phase,
      round,
      author,
      parents: parents.map(({ id }) => id).toSorted(),
      settled: { round: settledRound, root: settledRoot },
      start: round === 0 ? startRoot : digestOfText(`start/${label}`),
      delta: steps === 0 ? null : { cid: cidOf(textBytes(label), RAW), bytes: 100, norm },
      work: {
        steps,
        tokens: steps * limits.tokensPerStep,
        lossFirst: 3.5,
        lossLast: 3.25,
        data: batchSeed(settledRoot, round, author),
        stateBefore: before?.work.stateAfter ?? zeroState,
        stateAfter: digestOfText(`state/${label}`),
        engine: "test",
      },
      evidence: [],
      supports: null,
      lot: {
        reveal: before === undefined ? null : digestFromBytes(secretOf(name, before.round)),
        next: digestOf(secretOf(name, round)),
      },
    });
    return parsed(encodeHeader(header, new Uint8Array(64)).bytes);
  }

  /** Makes a header and links it. */
  add(name: string, parents: readonly Made[] = [], details: Details = {}): Contribution {
    return this.take(this.make(name, parents, details));
  }

  take({ id, header }: Made): Contribution {
    const admission = this.graph.add(id, header);
    // What was added is linked to all that came before, and far too much to print.
    const why = admission.kind === "added" ? "" : JSON.stringify(admission);
    assert(admission.kind === "added", `expected the graph to take ${id}: ${why}`);
    return this.graph.get(id) as Contribution;
  }
}

export function secretOf(name: string, round: number): Uint8Array {
  return sha256(textBytes(`secret/${name}/${round}`));
}

export function parsed(bytes: Uint8Array): Made {
  const verdict = parseHeader(bytes);
  assert(verdict.kind === "accept", `expected a header that parses: ${JSON.stringify(verdict)}`);
  return verdict.value;
}

/** The one-word names of these contributions' authors, sorted. */
export function authorsOf(contributions: readonly Contribution[], names: readonly string[]): string[] {
  const nameOf = new Map<PeerId, string>(names.map((name) => [peerOf(name), name]));
  return contributions.map(({ header }) => nameOf.get(header.author) ?? "?").toSorted();
}
