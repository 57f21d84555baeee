/** `starling ledger`: the contributions in a data folder, one a line. */
import type { PeerId } from "../../core/index.ts";
import { type LedgerEntry, type LedgerFilter, readLedgerOffline } from "../../node/index.ts";
import type { RoundRange } from "../arguments.ts";
import { assertDataExists } from "../data-folder.ts";
import { bytes, nats } from "../format.ts";
import { waitingFor } from "../waiting.ts";

export interface LedgerArguments {
  readonly data: string;
  readonly json: boolean;
  readonly author?: string;
  readonly phase?: number;
  readonly round?: RoundRange;
  readonly rounds?: RoundRange;
  readonly included?: true;
  readonly excluded?: true;
}

export async function ledger({ data, json, ...given }: LedgerArguments): Promise<void> {
  await assertDataExists(data);
  const reading = readLedgerOffline(data, {
    filter: filterOf(given),
    onFinding: ({ code, subject, detail }) => {
      process.stderr.write(`warning ${code} ${subject}: ${detail}; "starling verify" checks the rest\n`);
    },
  });
  const entries = await waitingFor("reading history", reading);
  for (const entry of entries) process.stdout.write(`${json ? JSON.stringify(entry) : lineOf(entry)}\n`);
}

function filterOf({
  author,
  phase,
  round,
  rounds,
  included,
  excluded,
}: Omit<LedgerArguments, "data" | "json">): LedgerFilter {
  const range = round ?? rounds;
  return {
    ...(author !== undefined && { author: author as PeerId }),
    ...(phase !== undefined && { phase }),
    ...(range !== undefined && { rounds: range }),
    ...(included && { included: true }),
    ...(excluded && { included: false }),
  };
}

function lineOf(entry: LedgerEntry): string {
  const { phase, round, author, steps, lossLast, deltaBytes, id } = entry;
  const work = steps === 0 ? "closing" : `${steps} steps, loss ${nats(lossLast)}, ${bytes(deltaBytes)}`;
  return `${phase}/${String(round).padEnd(5)} ${author} ${work.padEnd(32)} ${fateOf(entry).padEnd(38)} ${id}`;
}

function fateOf({ settled, why }: LedgerEntry): string {
  if (why !== null) return `excluded: ${why}`;
  return settled ? "included" : "included, not yet settled";
}
