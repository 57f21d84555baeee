/** `starling propose`, `proposals` and `support`: successors of the run, over the running node. */
import { readFile } from "node:fs/promises";
import { type Cid, StarlingError, messageOf } from "../../core/index.ts";
import { describeProposals } from "../describe-proposals.ts";
import { daemonOf } from "./pause.ts";

export interface ProposeArguments {
  readonly data: string;
  readonly within: number;
}

export interface ProposalsArguments {
  readonly data: string;
  readonly json: boolean;
}

export interface SupportArguments {
  readonly data: string;
}

export async function propose(path: string, { data, within }: ProposeArguments): Promise<void> {
  const manifest = await readJson(path);
  const proposal = await (await daemonOf(data)).propose(manifest, within);
  process.stdout.write(`${proposal}\n`);
  process.stderr.write(`proposed, and supported by this node; others: starling support ${proposal}\n`);
}

export async function proposals({ data, json }: ProposalsArguments): Promise<void> {
  const all = await (await daemonOf(data)).proposals();
  process.stdout.write(json ? `${JSON.stringify(all, null, 2)}\n` : describeProposals(all));
}

export async function support(proposal: Cid | null, { data }: SupportArguments): Promise<void> {
  const all = await (await daemonOf(data)).support(proposal);
  process.stdout.write(describeProposals(all));
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as unknown;
  } catch (error) {
    // Translated: says which file it was, and what makes one.
    const message = `expected a manifest in JSON at ${path}: ${messageOf(error)}; \`starling init\` writes one`;
    throw new StarlingError("MANIFEST_UNREADABLE", message, { cause: error });
  }
}
