/** What a check came to, for a person: `starling verify`. */
import type { VerifyReport } from "../node/index.ts";
import { UNKNOWN } from "./format.ts";

/** Lines of a name and a value, the names in one column. */
export function describeReport(report: VerifyReport): string {
  const { checked, unchecked, settled } = report;
  const lines: readonly (readonly [string, string])[] = [
    ["run", report.run],
    [
      "settled",
      settled === null ? UNKNOWN : `${phaseOf(settled)}round ${settled.round}, root ${settled.root}`,
    ],
    [
      "rounds",
      `${report.roundsChecked} checked, ${report.roundsPerSecond.toFixed(1)} per second${before(report)}`,
    ],
    ["checked", listOf({ ...checked })],
    ["unchecked", listOf({ ...unchecked })],
    ["elsewhere", `${report.otherHistories} contributions of other histories`],
    ["verdict", verdictOf(report)],
  ];
  return lines.map(([name, value]) => `${name.padEnd(13)}${value}\n`).join("");
}

/** Said only where there is more than one. */
function phaseOf({ phase }: { readonly phase: number }): string {
  return phase === 0 ? "" : `phase ${phase}, `;
}

function before({ fromRound }: VerifyReport): string {
  return fromRound === 0 ? "" : `; ${fromRound} more were checked before`;
}

function listOf(counts: Readonly<Record<string, number>>): string {
  const parts = Object.entries(counts).filter(([, count]) => count > 0);
  return parts.length === 0 ? "nothing" : parts.map(([name, count]) => `${count} ${name}`).join(", ");
}

function verdictOf({ findingsCount, uncheckedCount, isInterrupted }: VerifyReport): string {
  if (findingsCount > 0) return `FALSE: ${findingsCount} findings`;
  if (isInterrupted) return "nothing false, but it was stopped early: run it again to go on";
  if (uncheckedCount > 0) return "nothing false, but not all could be checked";
  return "all true";
}
