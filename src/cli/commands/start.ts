/**
 * `starling start`: a node in the foreground. Ends, with exit code 0, on Ctrl-C, `starling stop`, the end of the
 * process that started it over an IPC channel, or with `--exit-when-finished` the end of the run.
 */
import { mkdir, stat } from "node:fs/promises";
import { type RunId, parseCid, startAll, stopAll } from "../../core/index.ts";
import {
  type DashboardOptions,
  type LogLevel,
  type Manifest,
  type NodeOptions,
  type ServedNode,
  type StarlingNode,
  assertDataIsFree,
  createLog,
  networkKeyPath,
  createServedNode,
  readManifestFile,
  readNetworkKey,
  writeNetworkKey,
} from "../../node/index.ts";
import type { ListenAddress } from "../arguments.ts";
import { UsageError } from "../failure.ts";
import { onStopSignal } from "../signals.ts";

export interface StartArguments {
  readonly run: string;
  readonly data: string;
  readonly listen: string[];
  readonly announce: string[];
  readonly bootstrap: string[];
  readonly networkKey?: string;
  readonly engine: NodeOptions["engine"];
  readonly device?: string;
  readonly threads: number;
  readonly dht: boolean;
  readonly mdns: boolean;
  readonly local: boolean;
  /** True: at the usual place; false: nowhere. */
  readonly dashboard: boolean | ListenAddress;
  readonly dashboardName: string[];
  readonly exitWhenFinished: boolean;
  readonly logLevel: LogLevel;
}

/** Every interface, a port that the system chooses; give `--listen` a fixed port to be reachable behind a router. */
const LISTEN_DEFAULT: readonly string[] = ["/ip4/0.0.0.0/tcp/0"];

/** Only this machine can see it. A second node on the machine takes any free port. The port: Guess, nobody's. */
const DASHBOARD_DEFAULT = { host: "127.0.0.1", port: 4780, otherPort: true };

export async function start(given: StartArguments): Promise<void> {
  const { run: runText, data: dataDir, local, exitWhenFinished, logLevel, networkKey, ...rest } = given;
  const { dashboard: _page, dashboardName: _names, ...network } = rest;
  const stopping = Promise.withResolvers<void>();
  using _signals = onStopSignal(() => stopping.resolve());
  const log = createLog({ level: logLevel });
  const run = await readRun(runText);
  await mkdir(dataDir, { recursive: true });
  await assertDataIsFree(dataDir);
  if (networkKey !== undefined)
    await writeNetworkKey(networkKeyPath(dataDir), await readNetworkKey(networkKey));
  const listen = network.listen.length > 0 ? network.listen : [...LISTEN_DEFAULT];
  const { node, dashboard, services } = await createServedNode(
    { ...network, listen, dataDir, run, localAddresses: local, dashboard: pageOf(given) },
    { log, requestStop: () => stopping.resolve() },
  );
  try {
    await Promise.race([startAndPrint({ node, dashboard, services }), stopping.promise]);
    await Promise.race([exitWhenFinished ? node.finished : failureOf(node), stopping.promise]);
  } finally {
    log.info("stopping");
    // In reverse: the node first, and the socket last, whose last word is the answer to `starling stop`.
    await stopAll(services);
  }
}

function pageOf({ dashboard, dashboardName }: StartArguments): DashboardOptions | null {
  if (dashboard === false) return null;
  if (dashboard === true) return { ...DASHBOARD_DEFAULT, names: dashboardName };
  return { ...dashboard, otherPort: false, names: dashboardName };
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
