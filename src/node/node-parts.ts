/** What a node is made of before it starts: its disk, its engine, when and how fast it may work, and what watches it. */
import { join } from "node:path";
import { type Clock, type Logger, silentLog, systemClock } from "../core/index.ts";
import type { Swarm } from "../gossip/index.ts";
import { type ServedCheckpoints, type Store, openServedCheckpoints } from "../storage/index.ts";
import { phaseEndsPath } from "./climb/phase-ends.ts";
import { DiskPatience, patientStore } from "./disk/patience.ts";
import { DiskKeeper } from "./disk/keeper.ts";
import { NodeEngine } from "./engine/node-engine.ts";
import { Gate } from "./idle/gate.ts";
import { Conditions } from "./idle/conditions.ts";
import { Line } from "./network/limited-swarm.ts";
import { Mending } from "./disk/mending.ts";
import type { NodeDeps, NodeSettings } from "./node-options.ts";
import type { Load } from "./watch/samples.ts";
import { Watch } from "./watch/watch.ts";

export interface NodeParts {
  readonly clock: Clock;
  readonly log: Logger;
  /** Deletes what need not be kept. */
  readonly disk: DiskKeeper;
  /** Waits while the disk is full. */
  readonly store: Store;
  readonly served: ServedCheckpoints;
  /** Gets what the disk has damaged anew from peers. */
  readonly mending: Mending;
  readonly engine: NodeEngine;
  readonly gate: Gate;
  readonly line: Line;
  readonly conditions: Conditions;
  readonly watch: Watch;
}

/** What the parts ask of the node and tell it. */
export interface PartsOwner {
  readonly signal: AbortSignal;
  /** Undefined before the node has started. */
  swarm(): Swarm | undefined;
  load(): Load;
  diskFull(lack: string | null): void;
  changed(): void;
  /** Called when the node cannot go on. */
  fail(error: unknown): void;
}

export function nodeParts(
  options: NodeSettings,
  { store, deps, owner }: { store: Store; deps: NodeDeps; owner: PartsOwner },
): NodeParts {
  const { clock = systemClock, metrics } = deps;
  const log = (deps.log ?? silentLog).child("node");
  const { signal } = owner;
  const { dir: dataDir, blocks } = store;
  const { archive = false, diskMax: bytesMax = null } = options;
  const disk = new DiskKeeper({ archive, bytesMax }, { blocks, dataDir, log });
  const changed = (lack: string | null): void => owner.diskFull(lack);
  const patience = new DiskPatience({ clock, log, signal, changed });
  const mending = new Mending({
    swarm: () => owner.swarm(),
    write: (cid, block) => served.mend(cid, block),
    log,
    signal,
    fail: (error) => owner.fail(error),
  });
  const served: ServedCheckpoints = openServedCheckpoints(
    [join(dataDir, "checkpoints"), phaseEndsPath(dataDir)],
    {
      log,
      damaged: (cid) => mending.note(cid),
    },
  );
  const gate = new Gate();
  const line = new Line(options.line ?? { uploadMax: null, downloadMax: null }, clock);
  const watch = new Watch({
    clock,
    log,
    dataDir,
    load: () => owner.load(),
    changed: () => owner.changed(),
  });
  if (metrics !== undefined) watch.onStage((stage, ms) => metrics.observeStage(stage, ms));
  const conditions = new Conditions(
    options.use ?? { hours: null, onlyWhenIdle: false, monthlyBytesMax: null },
    {
      gate,
      dataDir,
      clock,
      log,
      traffic: () => {
        const { bytesIn, bytesOut } = owner.load();
        return bytesIn + bytesOut;
      },
      allow: (isUsedUp) => line.cut(isUsedUp),
    },
  );
  return {
    clock,
    log,
    disk,
    store: patientStore({ ...store, blocks: disk.blocks }, patience),
    served,
    mending,
    engine: new NodeEngine(options, { dataDir, log, signal }),
    gate,
    line,
    conditions,
    watch,
  };
}
