/** One node's status for a person: `starling status`. */
import type { NodeStatus } from "../node/index.ts";
import { UNKNOWN, doneShare, bytes, count, nats, seconds } from "./format.ts";

/** Lines of a name and a value, the names in one column. */
export function describeStatus(status: NodeStatus): string {
  const { settled } = status;
  const lines: readonly (readonly [string, string])[] = [
    ["run", `${status.runName} ${status.run}`],
    ["node", `${status.peerId} (${running(status)}, starling ${status.version}, ${engineOf(status)})`],
    ...(status.engineReason === null
      ? []
      : [["engine", `${status.engine}: ${status.engineReason}`] as const]),
    ["addresses", status.addresses.join(" ") || UNKNOWN],
    ...(status.address === null ? [] : [["join at", status.address] as const]),
    ["dashboard", status.dashboardUrl ?? UNKNOWN],
    ...ladderOf(status),
    ["state", `${status.state}, phase ${status.phase}, round ${status.round}, ${status.peersCount} peers`],
    ...(status.successor === null
      ? []
      : [["went on", `with run ${status.successor.run}, in ${status.successor.dataDir}`] as const]),
    ...(status.diskFull === null
      ? []
      : [["disk", `full, nothing is published: ${status.diskFull}`] as const]),
    ...(status.holding === null ? [] : [["holds", holdingOf(status.holding)] as const]),
    [
      "model",
      `${count(status.parametersCount)} parameters, ${count(status.tokensTotal)} tokens learned by all`,
    ],
    ["settled", settled === null ? UNKNOWN : `round ${settled.round}, root ${settled.root}`],
    [
      "loss",
      `${nats(status.lossNats)} training, ${nats(status.validationLossNats)} validation (nats per token)`,
    ],
    [
      "settled loss",
      `${nats(status.validationLossFirstNats)} first, ${nats(status.validationLossLastNats)} last (validation)`,
    ],
    ["work", workOf(status)],
    ["gates", gatesOf(status)],
    ["traffic", `${bytes(status.bytesIn)} in, ${bytes(status.bytesOut)} out`],
    [
      "delta",
      `${bytes(status.deltaBytesMean)} mean; ${bytes(status.deltaBytesDense)} if it were plain float32`,
    ],
  ];
  return lines.map(([name, value]) => `${name.padEnd(13)}${value}\n`).join("");
}

function engineOf({ engine, devicesCount }: NodeStatus): string {
  return devicesCount === null || devicesCount === 1 ? engine : `${engine} on ${devicesCount} devices`;
}

/** Only of a run that has more than one phase. */
function ladderOf({ phase, tokensTotal, ladder }: NodeStatus): (readonly [string, string])[] {
  if (ladder === null || ladder.phasesCount === 1) return [];
  const { phasesCount, rank, seats, leftBehindWhy } = ladder;
  const place = rank === null ? "no rank yet" : `rank ${rank}`;
  const best = seats === null ? "the last phase" : `the best ${seats} go on`;
  const here = `phase ${phase} of 0 to ${phasesCount - 1}, ${doneShare(tokensTotal, ladder)}, ${place}, ${best}`;
  return [["ladder", here], ...(leftBehindWhy === null ? [] : [["left behind", leftBehindWhy] as const])];
}

function holdingOf({ contributions, missing }: NonNullable<NodeStatus["holding"]>): string {
  const left = missing === 0 ? "" : `, ${count(missing)} deltas still to come`;
  return `${count(contributions)} contributions of others${left}; nothing is trained here`;
}

function running({ pid }: NodeStatus): string {
  return pid === null ? "not running" : `pid ${pid}`;
}

/** `33 judged in 0.4 s (0.6 % of training), not worth citing: 2 GATE_COSINE`. */
function gatesOf({ gates, trainingSeconds }: NodeStatus): string {
  const { judged, refused, judgingSeconds } = gates;
  const reasons = Object.entries(refused).filter(([, number]) => number > 0);
  const share = trainingSeconds === 0 ? 0 : judgingSeconds / trainingSeconds;
  const cost = `${judged} judged in ${seconds(judgingSeconds)} (${(100 * share).toFixed(1)} % of training)`;
  const list = reasons.map(([code, number]) => `${number} ${code}`).join(", ") || "none";
  return `${cost}, not worth citing: ${list}`;
}

function workOf(status: NodeStatus): string {
  const included = `${status.contributionsIncluded} of ${status.contributionsPublished} contributions included`;
  const speed = status.tokensPerSecond === null ? "" : `, ${count(status.tokensPerSecond)} tokens/s`;
  const failed =
    status.stepsNotApplied === 0 ? "" : `, ${status.stepsNotApplied} steps not applied (loss not finite)`;
  return `${included}, ${seconds(status.trainingSeconds)} of training${speed}${failed}`;
}
