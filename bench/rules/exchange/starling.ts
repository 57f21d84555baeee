/** Starling's own rule, by the code that nodes run: residual, codec and fold, in integers. */
import {
  type CodecSettings,
  accumulateResidual,
  encodeDelta,
  openDelta,
  trainingStart,
} from "../../../src/codec/index.ts";
import { type Contribution, foldRound, foldTerms } from "../../../src/consensus/index.ts";
import { assert } from "../../../src/core/index.ts";
import { type Exchange, type Flock, floatsOf } from "../exchange.ts";
import { Election } from "../election.ts";
import type { RuleOptions, Stage } from "../settings.ts";

/** Four bits for everything: what the preset `flight` has. */
const DENSE: readonly Stage[] = [{ fromShare: 0, keepPerChunk: 4096, valueBits: 4 }];

export function starling({ start, peersCount, lengths, roundsCount }: Flock, options: RuleOptions): Exchange {
  const beta = options.residualBeta ?? 1; // Measured: bench/RESULTS.md
  const outerRate = Math.round((options.outerRate ?? 1) * 2 ** 20); // Measured: bench/RESULTS.md
  const inStart = options.residualInStart ?? 0;
  const stages = options.codec ?? DENSE;
  const weights = start.slice();
  const residuals = Array.from({ length: peersCount }, () => new Int32Array(weights.length));
  const election = options.gates && new Election(options.gates);
  let [hostileSent, hostileIncluded] = [0, 0];
  let round = 0;
  let shared = floatsOf(weights);

  const settings = (): CodecSettings => {
    const stage = stages.findLast(({ fromShare }) => fromShare * roundsCount <= round);
    assert(stage !== undefined, "the first stage begins at 0");
    return stage;
  };

  return {
    startOf(peer) {
      if (inStart === 0) return shared;
      const start = new Float32Array(weights.length);
      trainingStart(start, { weights, residual: residuals[peer] as Int32Array }, inStart);
      return start;
    },
    combine(turns) {
      let bytes = 0;
      const sent = turns.map((turn) => {
        const { peer, end, isHostile } = turn;
        const residual = residuals[peer] as Int32Array;
        if (isHostile) residual.fill(0);
        assert(accumulateResidual(residual, weights, end, beta - inStart), "the weights are finite");
        const delta = encodeDelta(residual, lengths, settings());
        bytes += delta.bytes.length;
        const opened = openDelta(delta.bytes, lengths, settings());
        assert(opened.kind === "accept", "our own delta opens");
        return { ...turn, norm: delta.norm, reader: opened.value };
      });
      const deltas = election === undefined ? sent : election.elected(sent, weights);
      hostileSent += sent.filter(({ isHostile }) => isHostile).length;
      hostileIncluded += deltas.filter(({ isHostile }) => isHostile).length;
      const readers = new Map(deltas.map(({ reader }, j) => [String(j), reader]));
      const terms = foldTerms(deltas.map(asContribution), outerRate).map(({ id, factor }) => {
        const reader = readers.get(id);
        assert(reader !== undefined, "a term is of one of the deltas");
        return { reader, factor };
      });
      foldRound(weights, terms, 1);
      round += 1;
      shared = floatsOf(weights);
      return bytes;
    },
    models: () => [shared],
    hostileIncludedShare: () => (hostileSent === 0 ? null : hostileIncluded / hostileSent),
  };
}

/** As much of a contribution as the fold reads. */
function asContribution({ tokens, norm }: { tokens: number; norm: number }, j: number): Contribution {
  return { id: String(j), header: { delta: { norm }, work: { tokens } } } as unknown as Contribution;
}
