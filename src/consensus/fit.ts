/** What headers can show about themselves and each other: whether one can be part of a phase's history at all. */
import { type Digest, type Refused, digestOf, digestToBytes, ignore, reject } from "../core/index.ts";
import type { Base } from "./base.ts";
import type { Header, Settled } from "./header.ts";
import type { PhaseLimits } from "./rule.ts";
import { batchSeed } from "./settlement.ts";
import { type Contribution, type PhaseContext, settledRoundAt } from "./view.ts";

/** What a phase is, apart from what happens in it. */
export interface PhaseOptions extends PhaseContext {
  readonly limits: PhaseLimits;
  /** Root of the weights that the phase starts from. */
  readonly startRoot: Digest;
  /** The settled root of round 0: the start of the phase. */
  readonly startSettled: Digest;
  /** A settled state to go on from, instead of the phase's start. */
  readonly base?: Base | undefined;
  /** A settled state that every history must extend; absent: the start of the phase is all that it must share. */
  readonly landmark?: Settled | undefined;
  /** Root of empty moments and residual, which an author may always start again from. */
  readonly zeroState: Digest;
}

/** What is wrong with a header by itself; undefined: nothing. */
export function misfitAlone(h: Header, phaseOptions: PhaseOptions): Refused | undefined {
  const { run, phase, limits } = phaseOptions;
  if (h.run !== run) return reject("HEADER_OTHER_RUN", `expected run ${run}, got ${h.run}`);
  if (limits.authors?.includes(h.author) === false)
    return reject("HEADER_OUTSIDER", `expected an author that this closed run lists, got ${h.author}`);
  if (h.phase !== phase) return ignore("HEADER_OTHER_PHASE", `expected phase ${phase}, got ${h.phase}`);
  return misfitClaims(h, phaseOptions) ?? misfitStart(h, phaseOptions);
}

function misfitClaims(h: Header, { rule, limits }: PhaseOptions): Refused | undefined {
  if (h.parents.length > rule.membersMax) {
    return reject("HEADER_PARENTS", `expected at most ${rule.membersMax} parents, got ${h.parents.length}`);
  }
  if (h.work.steps > limits.stepsMax) {
    return reject("HEADER_STEPS", `expected at most ${limits.stepsMax} steps, got ${h.work.steps}`);
  }
  if (h.work.tokens !== h.work.steps * limits.tokensPerStep) {
    const expected = h.work.steps * limits.tokensPerStep;
    return reject(
      "HEADER_TOKENS",
      `expected ${expected} tokens for ${h.work.steps} steps, got ${h.work.tokens}`,
    );
  }
  if (h.delta !== null && h.delta.bytes > limits.deltaBytesMax) {
    return reject(
      "HEADER_DELTA_BYTES",
      `expected at most ${limits.deltaBytesMax} bytes, got ${h.delta.bytes}`,
    );
  }
  return undefined;
}

function misfitStart(
  h: Header,
  { rule, startRoot, startSettled, firstVoters, landmark }: PhaseOptions,
): Refused | undefined {
  const settledRound = settledRoundAt(h.round, rule);
  if (h.settled.round !== settledRound) {
    return reject(
      "HEADER_SETTLED",
      `expected settled round ${settledRound} in round ${h.round}, got ${h.settled.round}`,
    );
  }
  if (settledRound === 0 && h.settled.root !== startSettled) {
    const detail = `expected the start of the phase ${startSettled}, got ${h.settled.root}`;
    // Whoever ended the phase below on another history starts this one elsewhere, and is no worse for it.
    return firstVoters === undefined
      ? reject("HEADER_SETTLED", detail)
      : ignore("HEADER_OTHER_HISTORY", detail);
  }
  if (landmark?.round === settledRound && h.settled.root !== landmark.root) {
    const expected = `expected settled root ${landmark.root} in round ${landmark.round}`;
    return ignore("HEADER_OTHER_HISTORY", `${expected}, got ${h.settled.root}`);
  }
  if (h.round === 0 && h.start !== startRoot) {
    return reject("HEADER_START", `expected round 0 to start from ${startRoot}, got ${h.start}`);
  }
  const data = batchSeed(h.settled.root, h.round, h.author);
  if (h.work.data !== data)
    return reject("HEADER_DATA", `expected batches of seed ${data}, got ${h.work.data}`);
  return undefined;
}

/** What does not fit between a header and its parents: they are of one history, which it goes on with. */
export function misfitParents(h: Header, parents: readonly Contribution[]): Refused | undefined {
  const lineage = parents[0]?.lineage;
  if (lineage === undefined) return undefined;
  for (const { header, lineage: other } of parents) {
    if (header.round !== h.round - 1) {
      return reject("HEADER_ROUND", `expected parents of round ${h.round - 1}, got round ${header.round}`);
    }
    if (other !== lineage) {
      return reject(
        "HEADER_SETTLED",
        "expected all parents to build on one settled state, got two histories",
      );
    }
  }
  if (h.settled.round === lineage.round && h.settled.root !== lineage.root) {
    return reject(
      "HEADER_SETTLED",
      `expected the parents' settled root ${lineage.root}, got ${h.settled.root}`,
    );
  }
  return undefined;
}

/** The lot opens the author's earlier promise, and its state goes on where it had stopped. */
export function misfitContinuity(
  { header: h, view }: Pick<Contribution, "header" | "view">,
  { zeroState }: PhaseOptions,
): Refused | undefined {
  const before = view.parents.find(({ header }) => header.author === h.author)?.header;
  if (before === undefined) return undefined;
  const { reveal } = h.lot;
  if (reveal === null || digestOf(digestToBytes(reveal)) !== before.lot.next) {
    return reject("HEADER_LOT", "expected the preimage of the author's previous lot");
  }
  // When a round settled without the author's delta, its residual holds that delta again: only an audit can tell.
  const newlySettled =
    h.settled.round > before.settled.round ? view.included(before.settled.round) : undefined;
  if (newlySettled?.every((c) => c.header.author !== h.author)) return undefined;
  const { stateAfter } = before.work;
  if (h.work.stateBefore !== stateAfter && h.work.stateBefore !== zeroState) {
    return reject("HEADER_STATE", `expected state ${stateAfter} or the empty one, got ${h.work.stateBefore}`);
  }
  return undefined;
}
