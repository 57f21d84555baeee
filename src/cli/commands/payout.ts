/** `starling payout`: the address that this node's credits are paid to, as a record signed with the node's key. */
import { StarlingError } from "../../core/index.ts";
import { parseAddress, payoutText, readOwnPayout, setPayout } from "../../node/index.ts";
import { assertDataExists } from "../data-folder.ts";
import { UsageError } from "../failure.ts";

export interface PayoutSetArguments {
  readonly data: string;
  readonly sequence?: number;
}

export interface PayoutShowArguments {
  readonly data: string;
}

export async function setPayoutAddress(text: string, given: PayoutSetArguments): Promise<void> {
  const address = parseAddress(text);
  if (address === undefined) {
    throw new UsageError(
      `argument 'address': expected 0x and 40 hex digits, in one case or with the EIP-55 checksum, and not all zero, ` +
        `got ${text}`,
    );
  }
  const { data: dataDir, sequence } = given;
  await assertDataExists(dataDir);
  const record = await setPayout({ dataDir, address, ...(sequence !== undefined && { sequence }) });
  process.stderr.write(
    `credits of ${record.author} go to ${address}; give this record to whoever exports them\n`,
  );
  process.stdout.write(payoutText(record));
}

export async function showPayout({ data }: PayoutShowArguments): Promise<void> {
  await assertDataExists(data);
  const record = await readOwnPayout(data);
  if (record === undefined) {
    throw new StarlingError(
      "PAYOUT_MISSING",
      `expected a payout address in ${data}, found none; set one with "starling payout set 0x…"`,
    );
  }
  process.stdout.write(payoutText(record));
}
