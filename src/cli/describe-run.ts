/** A manifest in plain words: what is learned, with whom, and what it costs who takes part. */
import { type Manifest, type PhaseCosts, costsOf } from "../node/index.ts";
import { bytes, count, seconds } from "./format.ts";

/** Of a run whose manifest waits for fewer. Guess: what one looks at before inviting others. */
const NODES_SHOWN = 4;

/** Lines, without a newline at the end. */
export function describeRun(manifest: Manifest): string {
  const { name, phases, founders, admission, tokenizer } = manifest;
  const { startPeers, settleDepth } = phases[0].rule;
  const nodes = Math.max(NODES_SHOWN, startPeers);
  const waits = startPeers === 1 ? "It begins at once" : `It begins when ${startPeers} nodes are there`;
  const lines = [
    `The run "${name}" learns its text ${tokenizer === "bytes" ? "byte by byte" : "with a tokenizer of its own"}.`,
    `${waits}; a round has settled when ${settleDepth} more have followed.`,
    votersOf(founders.length),
    admission === undefined
      ? "Anybody who has its address may join."
      : "It is closed: only those with its network key or on its list may join.",
    `What it asks of each of ${nodes} nodes (estimates; fewer nodes, less traffic):`,
    ...costsOf(manifest, nodes).map(
      (costs, phase) => `  ${phases.length > 1 ? `phase ${phase}: ` : ""}${costsIn(costs)}`,
    ),
  ];
  return lines.join("\n");
}

function votersOf(foundersCount: number): string {
  if (foundersCount > 0) return `Until rounds have settled, ${foundersCount} named founders vote.`;
  return "Until rounds have settled, every key that was there in round 0 has a vote.";
}

function costsIn(costs: PhaseCosts): string {
  return [
    `${count(costs.parameters)} parameters`,
    `up to ${bytes(costs.memoryBytes)} of memory`,
    `${bytes(costs.roundTrafficBytes)} of traffic a round, at least ${bytes(costs.hourTrafficBytesMin)} an hour ` +
      `(rounds of at most ${seconds(costs.roundMsMax / 1000)})`,
    `${bytes(costs.diskBytes)} of disk after all ${costs.rounds} rounds, and the text`,
  ].join("; ");
}
