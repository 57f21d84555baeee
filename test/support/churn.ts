/**
 * S5: nodes that really train, on one machine, some of which are killed and replaced again and again, the bootstrap node, the only
 * one that the others knew at first, among the first. For the test, in small, and for bench/churn.ts.
 */
import { readFile } from "node:fs/promises";
import { SeededRandom } from "../../src/core/index.ts";
import type { Manifest } from "../../src/node/index.ts";
import type { NodeStatus } from "../../src/node/status.ts";
import { Daemons } from "./daemons.ts";
import { Roots } from "./roots.ts";

const LOOPBACK = { ip: () => "127.0.0.1", on: () => [], port: 0 };
/** Nodes that start at the same time: each takes seconds of a core. */
const AT_ONCE = 4;

export interface ChurnOptions {
  readonly nodes: number;
  /** How many are killed and replaced each time. */
  readonly replaced: number;
  readonly everyRounds: number;
  /** Those who stay are weighed in these two. */
  readonly earlyRound: number;
  readonly lastRound: number;
  /** There from the first round to the last; not the bootstrap node. */
  readonly stayers: readonly number[];
  readonly stepsPerRound: number;
  /** Of each wait. */
  readonly deadlineMs: number;
}

export interface Churned {
  /** Who stayed, in the early and in the last round. */
  readonly bytesEarly: readonly number[];
  readonly bytesLate: readonly number[];
  readonly stayed: readonly NodeStatus[];
  /** Where those who are alive at the end are by then, who came last at the end. */
  readonly alive: readonly NodeStatus[];
  readonly killedCount: number;
  /** Settled rounds of which two roots were seen. */
  readonly disputed: readonly unknown[];
}

/** Throws when somebody stops, or not all who are alive at the end come to the same settled state. */
export async function endureChurn(o: ChurnOptions): Promise<Churned> {
  const change = (manifest: Manifest): Manifest => changed(manifest, o.stepsPerRound);
  await using daemons = await Daemons.create(LOOPBACK, { startPeers: o.nodes }, { change });
  const random = new SeededRandom("churn");
  const roots = new Roots();
  let alive = Array.from({ length: o.nodes }, (_, host) => host);
  await startAll(daemons, alive, 0);
  let next = o.nodes;
  let bytesEarly: readonly number[] = [];
  for (let round = o.everyRounds; round < o.lastRound; round += o.everyRounds) {
    await stayersReach(round);
    if (round === o.earlyRound) bytesEarly = await residentBytes();
    const killed = round === o.everyRounds ? [0, ...draw(o.replaced - 1)] : draw(o.replaced);
    await Promise.all(killed.map((host) => daemons.kill(host)));
    const come = killed.map(() => next++);
    alive = [...alive.filter((host) => !killed.includes(host)), ...come];
    await startAll(daemons, come, o.stayers[0] ?? 0);
  }
  const stayed = await stayersReach(o.lastRound);
  const bytesLate = await residentBytes();
  // Who came last is part of it too.
  const isOne = (): boolean => roots.common(alive) !== undefined;
  const statuses = await Promise.all(
    alive.map((host) =>
      daemons.until(host, noted(host, isOne), "a settled root that all have", o.deadlineMs),
    ),
  );
  const killedCount = next - o.nodes;
  return { bytesEarly, bytesLate, stayed, alive: statuses, killedCount, disputed: roots.disputed() };

  function noted(host: number, fits: (status: NodeStatus) => boolean): (status: NodeStatus) => boolean {
    return (status) => {
      roots.note(host, status);
      return fits(status);
    };
  }

  function stayersReach(round: number): Promise<NodeStatus[]> {
    return Promise.all(
      o.stayers.map((host) =>
        daemons.until(
          host,
          noted(host, (s) => s.round >= round),
          `round ${round}`,
          o.deadlineMs,
        ),
      ),
    );
  }

  function residentBytes(): Promise<number[]> {
    return Promise.all(
      o.stayers.map(async (host) => {
        const { pid } = await daemons.until(host, () => true, "an answer", o.deadlineMs);
        const [, kilobytes] = /VmRSS:\s+(\d+) kB/.exec(await readFile(`/proc/${pid}/status`, "utf8")) ?? [];
        return 1024 * Number(kilobytes);
      }),
    );
  }

  function draw(count: number): number[] {
    const mortal = alive.filter((host) => host !== 0 && !o.stayers.includes(host));
    return Array.from({ length: count }, () => mortal.splice(random.below(mortal.length), 1)[0] ?? 0);
  }
}

/** A run without an end. */
function changed(manifest: Manifest, stepsPerRound: number): Manifest {
  return {
    ...manifest,
    phases: manifest.phases.map((phase) => ({
      ...phase,
      tokensBudget: 1e12,
      batch: { ...phase.batch, stepsPerRound, stepsMax: stepsPerRound },
    })),
  };
}

async function startAll(daemons: Daemons, hosts: readonly number[], via: number): Promise<void> {
  const [first, ...others] = hosts;
  // The bootstrap node before those who are to know its address.
  if (first !== undefined) await daemons.start(first, { args: ["--local"], via });
  while (others.length > 0)
    await Promise.all(
      others.splice(0, AT_ONCE).map((host) => daemons.start(host, { args: ["--local"], via })),
    );
}
