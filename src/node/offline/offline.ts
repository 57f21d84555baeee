/** What a data folder says while no node runs on it. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Logger, type PeerId, type RunId, StarlingError } from "../../core/index.ts";
import { openStore } from "../../storage/index.ts";
import type { NodeStatus } from "../status.ts";
import { VERSION } from "../version.ts";

/** The last status of a node that was stopped. */
export const STATUS_FILE = "status.json";

export function emptyStatus(run: RunId, peerId: PeerId): NodeStatus {
  return {
    version: VERSION,
    run,
    runName: "",
    peerId,
    pid: null,
    addresses: [],
    address: null,
    dashboardUrl: null,
    state: "stopped",
    diskFull: null,
    pausedWhy: null,
    engine: "",
    engineReason: null,
    parametersCount: 0,
    phase: 0,
    ladder: null,
    successor: null,
    phases: [],
    round: 0,
    settled: null,
    lossNats: null,
    validationLossNats: null,
    validationLossFirstNats: null,
    validationLossLastNats: null,
    peersCount: 0,
    holding: null,
    contributionsPublished: 0,
    contributionsIncluded: 0,
    stepsNotApplied: 0,
    devicesCount: null,
    stepsSettled: 0,
    tokensTotal: 0,
    gates: { judged: 0, refused: {}, judgingSeconds: 0 },
    authors: [],
    tokensPerSecond: null,
    trainingSeconds: 0,
    bytesIn: 0,
    bytesOut: 0,
    deltaBytesMean: null,
    deltaBytesDense: 0,
    pingP99Ms: null,
    eventLoopDelayP99Ms: null,
    curve: [],
  };
}

/**
 * The node's last status; after a kill, what the folder alone shows.
 * @throws StarlingError `DATA_DIR_EMPTY` when no node has ever run on the folder.
 */
export async function readOfflineStatus(dataDir: string, log: Logger): Promise<NodeStatus> {
  return withFolder(dataDir, log, async ({ store, run }) => {
    const checkpoint = await store.checkpoints.latest();
    const settled = checkpoint && {
      round: checkpoint.meta.round,
      root: checkpoint.meta.root,
      weightsRoot: checkpoint.meta.weightsRoot,
    };
    const last = await readStatusFile(dataDir);
    const base = { ...emptyStatus(run, store.peerId), settled: settled ?? null };
    return last?.run === run
      ? {
          ...base,
          ...last,
          state: "stopped",
          pausedWhy: null,
          pid: null,
          addresses: [],
          address: null,
          dashboardUrl: null,
          peersCount: 0,
        }
      : base;
  });
}

type Folder = { store: Awaited<ReturnType<typeof openStore>>; run: RunId };

/** Opens a folder that a node has run on, for reading. @throws StarlingError `DATA_DIR_EMPTY`, `DATA_DIR_IN_USE` */
export async function withFolder<T>(
  dataDir: string,
  log: Logger,
  read: (folder: Folder) => Promise<T>,
): Promise<T> {
  // Opening makes a folder into a data folder; reading must not.
  const isDataFolder = await readFile(join(dataDir, "format")).then(
    () => true,
    () => false,
  );
  if (!isDataFolder) throw emptyFolder(dataDir);
  const store = await openStore(dataDir, { log });
  try {
    const run = store.run();
    if (run !== undefined) return await read({ store, run });
    throw emptyFolder(dataDir);
  } finally {
    await store.close();
  }
}

export function emptyFolder(dataDir: string): StarlingError {
  const message = `expected the data folder of a node at ${dataDir}, got one without a run: \`starling start\` makes it`;
  return new StarlingError("DATA_DIR_EMPTY", message);
}

export async function readStatusFile(dataDir: string): Promise<NodeStatus | undefined> {
  try {
    return JSON.parse(await readFile(join(dataDir, STATUS_FILE), "utf8")) as NodeStatus;
  } catch {
    // A node that was killed has left none; the folder's own records answer instead.
    return undefined;
  }
}
