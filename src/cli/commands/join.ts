/** `starling join`: `starling start` with the run, the nodes and the settled state out of an address. */
import type { Command } from "commander";
import { decodeRunAddress } from "../../node/index.ts";
import type { StartArguments } from "../start-options.ts";
import { start } from "./start.ts";

export async function join(
  address: string,
  given: Omit<StartArguments, "run">,
  command: Command,
): Promise<void> {
  const { run, settled, peers } = decodeRunAddress(address);
  const bootstrap = [...given.bootstrap, ...peers];
  await start({ ...given, run, bootstrap, ...(settled && { settled }) }, command);
}
