/** The end of a testnet run, for the person who watched it. */
import { bytes, count, nats, seconds, shortRoot } from "../../src/cli/index.ts";
import { type Report, rootsAgree } from "./report.ts";

export interface SummaryOptions {
  readonly report: Report;
  readonly sample: string;
  readonly exportDir: string;
  readonly reportPath: string;
}

export function summaryOf({ report, sample, exportDir, reportPath }: SummaryOptions): string {
  const { baselineValidationLossNats: alone, validationLossLastNats: together } = report;
  const roots = report.stateRoots.map(({ round, root }) => `${shortRoot(root)} (${round})`).join(" ");
  const liveCount = report.nodesCount - report.killed.length;
  const sent = report.bytesSentPerNode.reduce((total, each) => total + each, 0);
  const lines = [
    rootsAgree(report)
      ? `settled roots   identical on all ${liveCount} live nodes: ${report.stateRoots[0]?.root} (round ${report.roundsSettled})`
      : `settled roots   DIFFER between ${liveCount} live nodes: ${roots}`,
    `validation loss ${nats(report.validationLossFirstNats)} -> ${nats(together)} nats per token`,
    ...(report.phases.length > 1 ? climbLines(report) : []),
    ...(alone === null
      ? []
      : [
          `one node alone  ${nats(alone)} nats per token after ${report.baselineSteps} steps, the mean of one node's`,
        ]),
    `tokens          ${count(report.tokensTotal)} in ${seconds(report.wallSeconds)}, of it ${seconds(report.trainingSeconds)} of training`,
    `sent            ${bytes(sent)} by all; a delta is ${bytes(report.deltaBytesMean)}, as float32 ${bytes(report.deltaBytesDense)}`,
    ...(report.killed.length === 0 ? [] : [`killed          ${report.killed.join(", ")}`]),
    ...(report.cheats.length === 0
      ? []
      : [
          `gates           ${report.refusedCount} of ${report.judgedCount} judged not worth citing; judging took ${seconds(report.judgingSeconds)} a node`,
        ]),
    ...report.cheats.map(
      ({ kind, peer, includedShare }) =>
        `hostile         ${kind} ${peer}: ${includedShare === null ? "unheard of" : `${(100 * includedShare).toFixed(0)} % of its contributions included`}`,
    ),
    `checkpoint      ${exportDir}`,
    `report          ${reportPath}`,
    "the model says:",
    printable(sample).replaceAll(/^/gm, "  | "),
  ];
  return `${lines.join("\n")}\n`;
}

/** `  phase 3       164 k parameters, 11 rounds: 2.217 -> 2.085, start 95d2382d, end b3254317, 3 of 4 went on`. */
function climbLines({ phases, climbFaults }: Report): string[] {
  const rungs = phases.map(({ phase, parameters, roundsSettled, lossFirst, lossLast, ...more }) => {
    const { startRoot, endRoot, admitted, seats, leftBehind } = more;
    const late = leftBehind.filter((peer) => admitted.includes(peer)).length;
    const on =
      seats === null ? "" : `, ${admitted.length - late} went on${late > 0 ? `, ${late} later` : ""}`;
    return (
      `  phase ${phase}       ${count(parameters)} parameters, ${roundsSettled} rounds: ` +
      `${nats(lossFirst)} -> ${nats(lossLast)}, start ${shortRoot(startRoot)}, end ${shortRoot(endRoot)}${on}`
    );
  });
  return [...rungs, ...climbFaults.map((fault) => `  missed        ${fault}`)];
}

/** A model of bytes may write anything, escape sequences of the terminal too. */
function printable(text: string): string {
  return text.replaceAll(/[^\P{Cc}\n]/gu, "·");
}
