/** `STARLING_TEST_CHEAT` makes a node of a test flock hostile; only one that nobody outside this machine can reach. */
import { CHEATS, type Cheat } from "../node/index.ts";
import { UsageError } from "./failure.ts";

export const CHEAT_VARIABLE = "STARLING_TEST_CHEAT";

/** `value`: of the variable. `local`: it takes private addresses for nodes of the run. */
export function cheatOf(
  value: string | undefined,
  { listen, local }: { listen: readonly string[]; local: boolean },
): Cheat | undefined {
  if (value === undefined || value === "") return undefined;
  const kind = CHEATS.find((name) => name === value);
  if (kind === undefined)
    throw new UsageError(`${CHEAT_VARIABLE}: expected one of ${CHEATS.join(", ")}, got ${value}`);
  const isLoopback = listen.length > 0 && listen.every((address) => address.startsWith("/ip4/127."));
  if (isLoopback && local) return kind;
  throw new UsageError(
    `${CHEAT_VARIABLE} is for tests on one machine: expected --local and no --listen but on 127.0.0.1; unset it`,
  );
}
