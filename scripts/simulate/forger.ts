/**
 * Headers made by hand for one key: well-formed, of any parents, at any time. What an adversary without a working
 * node can send.
 */
import { type Header, type UnsignedHeader, batchSeed, settledRoundAt } from "../../src/consensus/index.ts";
import {
  type ContributionId,
  type Digest,
  type PeerId,
  RAW,
  cidOf,
  digestFromBytes,
  digestOf,
  sha256,
} from "../../src/core/index.ts";
import type { FlockNode } from "./flock-node.ts";
import { Learner } from "./learner.ts";
import { type Parcel, seal } from "./parcel.ts";
import { digestOfText, peerOf, textBytes } from "./run-of.ts";

export interface Forgery {
  readonly round: number;
  /** All of the round before; none in round 0. */
  readonly parents: readonly { readonly id: ContributionId; readonly header: Header }[];
  /** 0: empty, without a delta. */
  readonly steps: number;
  /** A parent that nobody has, besides. */
  readonly unknown?: ContributionId;
}

export class Forger {
  readonly author: PeerId;
  readonly #node: FlockNode;
  readonly #name: string;
  readonly #learner: Learner;

  /** `name`: of the key; the node sends what is forged. */
  constructor(node: FlockNode, name: string) {
    const { run, shape, seed } = node.options;
    this.#node = node;
    this.#name = `${seed}/${name}`;
    this.author = peerOf(this.#name);
    this.#learner = new Learner({ name: this.#name, shape, tokensPerStep: run.limits.tokensPerStep });
  }

  forge({ round, parents, steps, unknown }: Forgery): Parcel {
    const { run, shape } = this.#node.options;
    const { trained, body } = this.#learner.learn({
      round,
      steps,
      settledTokens: 0,
      restored: [],
      withdrawn: [],
    });
    const own = parents.find(({ header }) => header.author === this.author)?.header;
    const settled = this.#settled(round, parents[0]?.header);
    const header: UnsignedHeader = {
      v: 1,
      run: run.run,
      phase: run.phase,
      round,
      author: this.author,
      parents: [...parents.map(({ id }) => id), ...(unknown === undefined ? [] : [unknown])].toSorted(),
      settled,
      start: run.startRoot,
      delta: trained.delta,
      work: {
        ...trained.work,
        // A key that cites its own work goes on from its state; what is in between is its own business.
        stateBefore: own?.work.stateAfter ?? run.zeroState,
        data: batchSeed(settled.root, round, this.author),
      },
      evidence: [],
      supports: null,
      lot: {
        reveal: own === undefined ? null : digestFromBytes(this.#secretOf(own.round)),
        next: digestOf(this.#secretOf(round)),
      },
    };
    return seal(header, body, { maker: this.#node.index, shape });
  }

  /** What the others name, which any adversary can compute; made up for rounds that nobody has settled. */
  #settled(round: number, parent: Header | undefined): { round: number; root: Digest } {
    const { run } = this.#node.options;
    const settledRound = settledRoundAt(round, run.rule);
    if (settledRound === 0) return { round: 0, root: run.startSettled };
    if (parent?.settled.round === settledRound) return parent.settled;
    const { nodes } = this.#node.options.network;
    const root = nodes.find((node) => node.settled.has(settledRound))?.settled.get(settledRound);
    return { round: settledRound, root: root ?? digestOfText(`forged/${settledRound}`) };
  }

  #secretOf(round: number): Uint8Array {
    return sha256(textBytes(`${this.#name}/${round}/secret`));
  }
}

/** A parent that nobody has. */
export function unknownParent(name: string): ContributionId {
  return cidOf(textBytes(name), RAW) as ContributionId;
}
