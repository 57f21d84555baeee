/**
 * `starling start`: a node in the foreground. Ends, with exit code 0, on Ctrl-C, `starling stop`, the end of the
 * process that started it over an IPC channel, or with `--exit-when-finished` the end of the run.
 */
import { access, mkdir, stat } from "node:fs/promises";
import { constants, setPriority } from "node:os";
import type { Command } from "commander";
import { type RunId, parseCid, startAll, stopAll } from "../../core/index.ts";
import {
  type Manifest,
  type ServedNode,
  type StarlingNode,
  assertDataIsFree,
  createLog,
  networkKeyPath,
  createServedNode,
  readManifestFile,
  readNetworkKey,
  runIdOf,
  writeNetworkKey,
} from "../../node/index.ts";
import { UsageError } from "../failure.ts";
import { onStopSignal } from "../signals.ts";
import { type StartArguments, describeSettings, servedOptions } from "../start-options.ts";

export async function start(given: StartArguments, command: Command): Promise<void> {
  const { data: dataDir, exitWhenFinished, logLevel, networkKey, priority } = given;
  if (given.dryRun) return dryRun(given, command);
  const stopping = Promise.withResolvers<void>();
  using _signals = onStopSignal(() => stopping.resolve());
  const log = createLog({ level: logLevel });
  const run = await readRun(given.run);
  await mkdir(dataDir, { recursive: true });
  await assertDataIsFree(dataDir);
  if (networkKey !== undefined)
    await writeNetworkKey(networkKeyPath(dataDir), await readNetworkKey(networkKey));
  // Threads that are started later, the trainer's among them, inherit it.
  if (priority === "low") setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  const { node, dashboard, services } = await createServedNode(servedOptions(given, run), {
    log,
    requestStop: () => stopping.resolve(),
  });
  try {
    await Promise.race([startAndPrint({ node, dashboard, services }), stopping.promise]);
    await Promise.race([exitWhenFinished ? node.finished : failureOf(node), stopping.promise]);
  } finally {
    log.info("stopping");
    // In reverse: the node first, and the socket last, whose last word is the answer to `starling stop`.
    await stopAll(services);
  }
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

/** Never resolves; rejects when the node fails. */
async function failureOf(node: StarlingNode): Promise<never> {
  await node.finished;
  return new Promise(() => undefined);
}

async function startAndPrint({ node, dashboard, services }: ServedNode): Promise<void> {
  await startAll(services);
  const { run, addresses } = node.status();
  process.stdout.write(`run ${run}\npeer ${node.peerId}\n`);
  if (dashboard !== undefined) process.stdout.write(`dashboard ${dashboard.url()}\n`);
  for (const address of addresses) process.stdout.write(`address ${address}\n`);
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
