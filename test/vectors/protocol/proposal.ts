/** proposal.json: a proposed successor of a run, and the run that it becomes. */
import { RAW, type RunId, cidOf } from "../../../src/core/index.ts";
import { draftManifest } from "../../../src/node/index.ts";
import { type Manifest, encodeManifest, runIdOf } from "../../../src/node/run/manifest.ts";
import { signProposal, successorOf } from "../../../src/node/succession/proposal.ts";
import { hex, keyOf } from "./support.ts";

export interface ProposalVector {
  run: RunId;
  author: string;
  /** The 32 bytes of the author's private key, hex. */
  secret: string;
  until: { phase: number; round: number };
  draft: Manifest;
  /** The draft's block, hex. */
  block: string;
  /** Of the record, hex. */
  bytes: string;
  cid: string;
  /** Of the weights at which the run is left, and the successor's name then. */
  weights: string;
  successor: RunId;
}

export async function proposalVectors(): Promise<ProposalVector[]> {
  const { key, peer: author, secret } = await keyOf("ada");
  const data = [cidOf(new TextEncoder().encode("data"), RAW)];
  const run = runIdOf(draftManifest({ preset: "tiny" }, { data }));
  const draft = draftManifest({ preset: "tiny", name: "next", rounds: 20 }, { data });
  const until = { phase: 0, round: 500 };
  const { proposal, bytes } = await signProposal({ run, until, draft }, key);
  const weights = cidOf(new TextEncoder().encode("weights"), RAW);
  return [
    {
      run,
      author,
      secret,
      until,
      draft,
      block: hex(encodeManifest(draft)),
      bytes: hex(bytes),
      cid: proposal.cid,
      weights,
      successor: runIdOf(successorOf(proposal, weights)),
    },
  ];
}
