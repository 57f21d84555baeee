/** `starling credits`: what settled work has earned, from the running node or, when none runs, from its folder. */
import { writeFile } from "node:fs/promises";
import {
  type Credits,
  type Payout,
  type PayoutFile,
  connectControl,
  createLog,
  creditsAsOf,
  creditsTree,
  latestPayouts,
  readOfflineCredits,
  readOwnPayout,
  readPayoutFiles,
} from "../../node/index.ts";
import { assertDataExists } from "../data-folder.ts";
import { waitingFor } from "../waiting.ts";
import { creditsReport, describeCredits } from "../describe-credits.ts";

export interface CreditsArguments {
  readonly data: string;
  readonly json: boolean;
  readonly author?: string;
  readonly rounds?: number;
  readonly payouts: string[];
  readonly export?: string;
}

export async function credits(given: CreditsArguments): Promise<void> {
  const { data, json, author, rounds } = given;
  await assertDataExists(data);
  const log = createLog({ level: "warn" });
  const daemon = await connectControl(data);
  const all = await waitingFor("reading history", daemon?.credits() ?? readOfflineCredits(data, log));
  const minted = rounds === undefined ? all : creditsAsOf(all, rounds);
  const payouts = await knownPayouts(given, minted);
  if (given.export !== undefined) {
    const tree = await creditsTree(minted, payouts);
    await writeFile(given.export, `${JSON.stringify(tree, null, 2)}\n`);
    process.stderr.write(`wrote ${given.export}: root ${tree.root}, ${tree.values.length} leaves\n`);
  }
  const report = creditsReport(minted, payouts, author);
  process.stdout.write(json ? `${JSON.stringify(report, null, 2)}\n` : describeCredits(report));
}

/** Our own record and those in the files given. One that is refused is said aloud and left out. */
async function knownPayouts(
  { data, payouts: paths }: CreditsArguments,
  { run }: Credits,
): Promise<ReturnType<typeof latestPayouts>> {
  const own = await readOwnPayout(data);
  const read: PayoutFile[] = await readPayoutFiles(paths, run);
  const records: Payout[] = own === undefined ? [] : [own];
  for (const { path, verdict } of read) {
    if (verdict.kind === "accept") records.push(verdict.value);
    else process.stderr.write(`not used: ${path}: ${verdict.code}: ${verdict.detail}\n`);
  }
  return latestPayouts(records);
}
