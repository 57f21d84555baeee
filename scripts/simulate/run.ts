/** Runs one scenario to its last round and judges it. */
import { type Clock, StarlingError } from "../../src/core/index.ts";
import { Flock } from "./flock.ts";
import { type Report, reportOf } from "./report.ts";
import type { Scenario } from "./scenario.ts";

export interface RunOptions {
  readonly peersCount: number;
  readonly roundsCount: number;
  readonly seed: string;
  readonly clock: Clock;
}

export function runScenario(scenario: Scenario, options: RunOptions): Report {
  const { roundsCount, seed, clock } = options;
  const startMs = clock.nowMs();
  const peersCount = scenario.peersCount?.(options.peersCount) ?? options.peersCount;
  const { rule, ...others } = scenario.options(peersCount);
  const flock = new Flock({
    nodesCount: peersCount,
    ...others,
    rule: { membersMax: Math.max(64, others.nodesCount ?? peersCount), ...rule },
    seed: `${scenario.name}/${peersCount}/${seed}`,
  });
  const stall = play(scenario, flock, roundsCount);
  const wallSeconds = (clock.nowMs() - startMs) / 1000;
  return reportOf({ scenario, flock, roundsCount, seed, wallSeconds, ...(stall && { stall }) });
}

/** Why the flock stalled, if it did. */
function play(scenario: Scenario, flock: Flock, roundsCount: number): string | undefined {
  try {
    scenario.play?.(flock);
    flock.untilRound(roundsCount);
    return undefined;
  } catch (error) {
    // A flock that stands still is a result; everything else is a bug.
    if (error instanceof StarlingError && error.code === "FLOCK_STALLED") return error.message;
    throw error;
  }
}
