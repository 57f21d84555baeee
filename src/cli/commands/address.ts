/** `starling address`: the one string that somebody needs to join, from the running node. */
import { StarlingError } from "../../core/index.ts";
import { connectControl } from "../../node/index.ts";
import { assertDataExists } from "../data-folder.ts";

export interface AddressArguments {
  readonly data: string;
}

export async function address({ data }: AddressArguments): Promise<void> {
  await assertDataExists(data);
  const daemon = await connectControl(data);
  const found = (await daemon?.status())?.address;
  if (typeof found !== "string") {
    throw new StarlingError(
      "NOT_RUNNING",
      `expected a node running on ${data}: an address names nodes that can be reached, so start it first`,
    );
  }
  process.stdout.write(`${found}\n`);
}
