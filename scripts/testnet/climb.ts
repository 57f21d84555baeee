/** What a ladder was climbed like, phase by phase, and what is not as it should be. */
import type { PeerId } from "../../src/core/index.ts";
import type { NodeStatus, PhaseStatus } from "../../src/node/index.ts";

export interface PhaseReport extends Omit<PhaseStatus, "rank"> {
  /** Of the nodes that lived to the end, those whom their rank at the end of the phase kept in it. */
  readonly leftBehind: readonly PeerId[];
}

type Climber = Pick<NodeStatus, "peerId" | "phases">;

/** Of the phases that all of them have ended. */
export function phaseReports(live: readonly Climber[]): PhaseReport[] {
  const count = Math.min(...live.map(({ phases }) => phases.length));
  return Array.from({ length: count }, (_, k) => {
    const seen = live.map(({ phases }) => phases[k] as PhaseStatus);
    // Who has gone on stops listening; who was last to go has heard of everybody's admission.
    const [fullest] = seen.toSorted((a, b) => b.admitted.length - a.admitted.length) as [PhaseStatus];
    const { rank: _rank, ...facts } = fullest;
    const known = seen.find(({ lossFirst, lossLast }) => lossFirst !== null && lossLast !== null) ?? fullest;
    const { lossFirst, lossLast } = known;
    const { admitted, seats } = facts;
    const first = new Set(admitted.slice(0, seats ?? 0));
    const leftBehind = seats === null ? [] : live.map(({ peerId }) => peerId).filter((id) => !first.has(id));
    return { ...facts, lossFirst, lossLast, leftBehind };
  });
}

/** Whether all of them started and ended every phase alike. */
export function phasesAgree(live: readonly Climber[]): boolean {
  const marksOf = ({ phases }: Climber): string =>
    phases
      .map(({ startRoot, endRoot, roundsSettled }) => [startRoot, endRoot, roundsSettled].join())
      .join(" ");
  return new Set(live.map(marksOf)).size <= 1;
}

/** What a climb promises and this one did not keep, in words; `aloneNats`: of a model of the last size from scratch. */
export function climbFaults(phases: readonly PhaseReport[], aloneNats: number | null): string[] {
  const faults: string[] = [];
  let before = Infinity;
  for (const { phase, lossFirst, lossLast } of phases) {
    const last = lossLast ?? Number.NaN;
    if (!(last < (lossFirst ?? Number.NaN))) faults.push(`phase ${phase} ends no lower than it started`);
    if (!(last < before)) faults.push(`phase ${phase} ends no lower than the one before`);
    before = last;
  }
  if (aloneNats !== null && !(before < aloneNats))
    faults.push("the last phase ends no lower than one node alone, from scratch");
  const stays = phases.flatMap(({ leftBehind, admitted }) =>
    leftBehind.map((peer) => ({ cameLater: admitted.includes(peer) })),
  );
  if (!stays.some(({ cameLater }) => cameLater)) faults.push("nobody was left behind by rank and came later");
  return faults;
}
