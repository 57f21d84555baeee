/**
 * `starling start`: a node in the foreground. Ends, with exit code 0, on Ctrl-C, `starling stop`, the end of the
 * process that started it over an IPC channel, or with `--exit-when-finished` the end of the run.
 */
import { access, stat } from "node:fs/promises";
import { constants, setPriority } from "node:os";
import type { Command } from "commander";
import { type RunId, parseCid, startAll, stopAll, systemClock } from "../../core/index.ts";
import {
  type Manifest,
  type ServedNode,
  type ServedOptions,
  type StarlingNode,
  assertDataIsFree,
  createLog,
  networkKeyPath,
  createServedNode,
  readManifestFile,
  readNetworkKey,
  reportReach,
  runIdOf,
  writeNetworkKey,
} from "../../node/index.ts";
import { makeDataFolder } from "../data-folder.ts";
import { UsageError } from "../failure.ts";
import { outliveReader } from "../outlive-reader.ts";
import { onStopSignal } from "../signals.ts";
import { type StartArguments, describeSettings, servedOptions } from "../start-options.ts";

/** How long a node that leaves its run goes on serving there. Guess: some rounds of a small run. */
const LEAVING_MS = 10_000;

export async function start(given: StartArguments, command: Command): Promise<void> {
  if (given.dryRun) return dryRun(given, command);
  const { data, networkKey, priority } = given;
  const stopping = Promise.withResolvers<void>();
  using _signals = onStopSignal(() => stopping.resolve());
  outliveReader();
  const run = await readRun(given.run);
  await makeDataFolder(data);
  await assertDataIsFree(data);
  if (networkKey !== undefined) await writeNetworkKey(networkKeyPath(data), await readNetworkKey(networkKey));
  // Threads that are started later, the trainer's among them, inherit it.
  if (priority === "low") setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  let options: ServedOptions | undefined = servedOptions(given, run);
  while (options !== undefined) options = await serve(options, given, stopping);
}

/** Until the node stops; what to start next, when it has left its run for the successor. */
async function serve(
  options: ServedOptions,
  { exitWhenFinished, logLevel }: StartArguments,
  stopping: PromiseWithResolvers<void>,
): Promise<ServedOptions | undefined> {
  const log = createLog({ level: logLevel });
  const { node, dashboard, services } = await createServedNode(options, {
    log,
    requestStop: () => stopping.resolve(),
  });
  const leaving = new AbortController();
  let isStopping = false;
  const stopped = stopping.promise.then(() => (isStopping = true));
  let reporting: Promise<void> = Promise.resolve();
  try {
    await Promise.race([startAndPrint({ node, dashboard, services }), stopped]);
    reporting = reportReach(() => node.status(), { clock: systemClock, log, signal: leaving.signal });
    await Promise.race([endOf(node, exitWhenFinished), stopped]);
    const next = isStopping ? undefined : successorOptions(options, node);
    // Others may still need our last deltas to leave where we did.
    if (next !== undefined) await Promise.race([systemClock.sleep(LEAVING_MS, leaving.signal), stopped]);
    return isStopping ? undefined : next;
  } finally {
    leaving.abort();
    await reporting;
    log.info("stopping");
    // In reverse: the node first, and the socket last, whose last word is the answer to `starling stop`.
    await stopAll(services);
  }
}

/** The same node in its successor's folder: where it was reached, it can be reached again, and it dials whom it dialled. */
function successorOptions(options: ServedOptions, node: StarlingNode): ServedOptions | undefined {
  const { successor, addresses } = node.status();
  if (successor === null) return undefined;
  const { run, dataDir } = successor;
  process.stdout.write(`left for run ${run}, in ${dataDir}\n`);
  const listen = addresses.filter((address) => !address.includes("/p2p-circuit"));
  const dialled = node
    .snapshot()
    .mesh.peers.flatMap(({ peerId, address, inbound }) =>
      address === null || inbound ? [] : [address.includes("/p2p/") ? address : `${address}/p2p/${peerId}`],
    );
  return {
    ...options,
    dataDir,
    run,
    settled: undefined,
    // What is announced instead need not be an address of this machine.
    ...((options.announce ?? []).length === 0 && {
      listen: listen.map((address) => address.replace(/\/p2p\/[^/]+$/, "")),
    }),
    bootstrap: [...new Set([...(options.bootstrap ?? []), ...dialled])],
  };
}

/** Checks what can be checked without changing anything, and says what would be done. */
async function dryRun(given: StartArguments, command: Command): Promise<void> {
  const run = await readRun(given.run);
  if (await exists(given.data)) await assertDataIsFree(given.data);
  if (given.networkKey !== undefined) await readNetworkKey(given.networkKey);
  process.stdout.write(describeSettings(command));
  const name = typeof run === "string" ? run : `${runIdOf(run)} (${run.name})`;
  process.stdout.write(`\nwould start run ${name}; nothing was changed\n`);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Rejects when the node fails; resolves when it has left its run, or the run is over and that is the end. */
async function endOf(node: StarlingNode, exitWhenFinished: boolean): Promise<void> {
  await node.finished;
  if (!exitWhenFinished && node.status().successor === null) return new Promise(() => undefined);
}

async function startAndPrint({ node, dashboard, services }: ServedNode): Promise<void> {
  await startAll(services);
  const { run, addresses } = node.status();
  const lines = [`run ${run}`, `peer ${node.peerId}`];
  if (dashboard !== undefined) lines.push(`dashboard ${dashboard.url()}`);
  for (const address of addresses) lines.push(`address ${address}`);
  process.stdout.write(`${lines.join("\n")}\n`);
}

/** A file wins over a CID of the same spelling. */
async function readRun(text: string): Promise<Manifest | RunId> {
  if (await isFile(text)) return readManifestFile(text);
  if (parseCid(text) !== undefined) return text as RunId;
  throw new UsageError(
    `option '--run': expected a manifest file or a run's CID (bafyrei…), got ${text}; ` +
      `"starling init" makes a manifest`,
  );
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    // Not there: then it must be a CID. Unreadable: the user should hear of it.
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR" || code === "ENAMETOOLONG") return false;
    throw error;
  }
}
