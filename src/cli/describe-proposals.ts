/** Proposed successors of a run, for people: `starling proposals`. */
import type { ProposalStatus } from "../node/index.ts";

export function describeProposals(all: readonly ProposalStatus[]): string {
  if (all.length === 0) return "no contribution of the last rounds names a successor\n";
  return all.map(describe).join("\n");
}

function describe(status: ProposalStatus): string {
  const { proposal, name, author, until, diff, detail, isOurs } = status;
  const lines = [
    `${proposal}${isOurs ? "  (supported by this node)" : ""}`,
    author === null ? `not readable  ${detail}` : `proposed by   ${author}, as ${name}`,
    `support       ${supportOf(status)}`,
    ...(until === null ? [] : [`deadline      settled round ${until.round} of phase ${until.phase}`]),
    ...(diff === null ? [] : ["changes", diff === "" ? "  nothing" : indented(diff)]),
  ];
  return `${lines.join("\n")}\n`;
}

function supportOf({ settledShare, newestShare, rounds, roundsNeeded, carriedAt }: ProposalStatus): string {
  const shares = `${percent(settledShare)} of the voting weight in the newest settled round, ${percent(newestShare)} in the newest`;
  if (carriedAt !== null) return `${shares}; carried at settled round ${carriedAt}`;
  return `${shares}; two thirds in ${rounds} of ${roundsNeeded} settled rounds in a row`;
}

function percent(share: number): string {
  return `${Math.floor(100 * share)} %`;
}

function indented(text: string): string {
  return text.trimEnd().replaceAll(/^/gm, "  ");
}
