/** A machine that is put to sleep and wakes when the bodies of all that it missed are gone, in the same process. */
import { expect, test } from "vitest";
import type { NodeStatus } from "../../src/node/status.ts";
import { decodeRunAddress } from "../../src/node/index.ts";
import { Daemons } from "../support/daemons.ts";

const LOOPBACK = { ip: () => "127.0.0.1", on: () => [], port: 0 };
const SETTLE_DEPTH = 2;
/** More than bodies are kept for. */
const ROUNDS_ASLEEP = 75;
const WAIT_MS = 240_000;
/** A state that was settled when the address was made may be held by nobody when the node is up, on a busy machine. */
const SLEEPERS = [2, 3, 4, 5, 6];

test("S3 S4 who joined by an address and slept for longer than bodies are kept goes on with the others when it wakes", async () => {
  await using daemons = await Daemons.create(
    LOOPBACK,
    { startPeers: 2 },
    {
      training: { stepMs: 20 },
      change: (manifest) => ({
        ...manifest,
        phases: manifest.phases.map((phase) => ({
          ...phase,
          tokensBudget: 1e12,
          rule: { ...phase.rule, settleDepth: SETTLE_DEPTH },
          batch: { ...phase.batch, stepsPerRound: 40, stepsMax: 40 },
        })),
      }),
    },
  );
  const local = { args: ["--local"] };
  await daemons.start(0, local);
  await daemons.start(1, local);
  const sleeper = await joined(daemons);
  const isIncluded = ({ contributionsIncluded }: NodeStatus): boolean => contributionsIncluded > 0;
  const before = await daemons.until(sleeper, isIncluded, "work", WAIT_MS);

  const { pid } = before;
  if (pid === null) throw new Error("expected a node that runs to have a pid");
  process.kill(pid, "SIGSTOP");
  const rounds = before.round + ROUNDS_ASLEEP;
  const now = await daemons.until(0, ({ round }) => round >= rounds, `round ${rounds}`, WAIT_MS);
  process.kill(pid, "SIGCONT");

  const isBack = ({ round, contributionsIncluded: n }: NodeStatus): boolean =>
    round > now.round && n > before.contributionsIncluded;
  const after = await daemons.until(sleeper, isBack, "work of after it woke", WAIT_MS);
  expect(after.pid).toBe(pid);
});

/** Whoever goes on from the state of an address, without the headers of before. */
async function joined(daemons: Daemons): Promise<number> {
  const isJoinable = ({ address }: NodeStatus): boolean =>
    (decodeRunAddress(address ?? "").settled?.round ?? 0) > 2 * SETTLE_DEPTH;
  for (const host of SLEEPERS) {
    const { address } = await daemons.until(0, isJoinable, "a settled state to join at", WAIT_MS);
    await daemons.start(host, { args: ["--local"], join: address ?? "" });
    await daemons.until(host, ({ settled }) => settled !== null, "a settled state to go on from", WAIT_MS);
    const log = await daemons.log(host);
    if (log.some(({ msg }) => msg === "going on from a settled state")) return host;
    await daemons.stop(host);
  }
  throw new Error("expected one of the nodes to come in time for the state of its address");
}
