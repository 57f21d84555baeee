/**
 * The life of a flock: node 1 has the manifest and the text, the others get its address and the run's CID and
 * nothing else; all live until each has finished; then they are asked for what they settled, and stopped.
 */
import { CHEAT_VARIABLE } from "../../src/cli/cheat.ts";
import type { LiveView } from "../../src/cli/index.ts";
import { type Clock, StarlingError } from "../../src/core/index.ts";
import { connectControl } from "../../src/node/control/client.ts";
import { readManifestFile } from "../../src/node/index.ts";
import type { NodeStatus } from "../../src/node/status.ts";
import { runStarling } from "./command.ts";
import { type Daemon, addressOf, dataDirOf, isAlive, killDaemon, spawnDaemon, stopDaemon } from "./daemon.ts";
import type { TestnetFiles, TestnetOptions } from "./options.ts";
import { watchUntilFinished } from "./watch.ts";

const SAMPLE = { prompt: "Call me Ishmael. ", tokensMax: 240, temperature: 0.8, topP: 1, seed: "1" };

export interface FlockDeps {
  readonly view: LiveView;
  readonly clock: Clock;
  /** Aborted by Ctrl-C: the nodes are stopped, and the reason is thrown. */
  readonly signal: AbortSignal;
}

export interface FlockEnd {
  /** The last status of every node, null if it never spoke. */
  readonly all: readonly (NodeStatus | null)[];
  /** Of those that lived to the end, from their own `starling status --json`. */
  readonly live: readonly NodeStatus[];
  readonly killed: readonly string[];
  readonly wallSeconds: number;
  /** What the trained model writes. */
  readonly sample: string;
}

/** Throws what `watchUntilFinished` does; no node is left running in any case. */
export async function runFlock(
  options: TestnetOptions,
  files: TestnetFiles,
  deps: FlockDeps,
): Promise<FlockEnd> {
  const { view, clock, signal } = deps;
  const run = await initRun(options, files);
  view.note(`run ${run}`);
  const daemons: Daemon[] = [];
  // The last resort, when this process ends before it could stop them.
  const killAll = (): void => daemons.filter(isAlive).forEach(({ child }) => child.kill("SIGKILL"));
  process.once("exit", killAll);
  let end: FlockEnd;
  let unclean: string[];
  try {
    const startMs = clock.nowMs();
    await startDaemons(options, files, run, { daemons, clock, signal });
    const onLook = options.killBootstrap ? await bootstrapKiller(files, daemons, view) : nothing;
    await watchUntilFinished({ daemons, view, clock, signal, onLook });
    const wallSeconds = (clock.nowMs() - startMs) / 1000;
    end = { ...(await harvest(daemons, files)), wallSeconds };
  } finally {
    view.close();
    unclean = await stopDaemons(daemons, clock);
    process.off("exit", killAll);
  }
  if (unclean.length === 0) return end;
  throw new StarlingError(
    "TESTNET_UNCLEAN_STOP",
    `expected each node to stop with 0, got ${unclean.join("; ")}`,
  );
}

async function initRun(options: TestnetOptions, files: TestnetFiles): Promise<string> {
  const { dir, preset, seed, nodes, rounds } = options;
  const args = [
    "--preset",
    preset,
    "--text",
    files.text,
    "--out",
    files.manifest,
    "--data",
    dataDirOf(dir, "node-1"),
  ];
  args.push("--name", "testnet", "--seed", String(seed), "--start-peers", String(nodes));
  if (rounds !== undefined) args.push("--rounds", String(rounds));
  return (await runStarling(["init", ...args])).trim();
}

interface StartDeps {
  /** Filled as they start, so that those are stopped when a later one fails. */
  readonly daemons: Daemon[];
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

async function startDaemons(
  { dir, nodes, dht, cheats }: TestnetOptions,
  files: TestnetFiles,
  run: string,
  { daemons, clock, signal }: StartDeps,
): Promise<void> {
  const common = [
    "--listen",
    "/ip4/127.0.0.1/tcp/0",
    "--local",
    "--no-mdns",
    "--threads",
    "1",
    "--engine",
    "cpu",
  ];
  if (!dht) common.push("--no-dht");
  const first = await spawnDaemon({ name: "node-1", dir, args: ["--run", files.manifest, ...common] });
  daemons.push(first);
  const bootstrap = await addressOf(first, clock, signal);
  for (let k = 2; k <= nodes; k++) {
    const args = ["--run", run, "--bootstrap", bootstrap, ...common];
    const cheat = cheats[k - 1 - (nodes - cheats.length)];
    const env = cheat === undefined ? {} : { [CHEAT_VARIABLE]: cheat };
    daemons.push(await spawnDaemon({ name: `node-${k}`, dir, args, env }));
  }
}

async function nothing(): Promise<void> {}

/** Kills node 1 for good once half of the run's tokens are included. */
async function bootstrapKiller(
  files: TestnetFiles,
  daemons: readonly Daemon[],
  view: LiveView,
): Promise<() => Promise<void>> {
  const { phases } = await readManifestFile(files.manifest);
  const half = phases.reduce((total, phase) => total + phase.tokensBudget, 0) / 2;
  return async () => {
    const [first, ...others] = daemons;
    const due = others.some(({ status }) => (status?.tokensTotal ?? 0) >= half);
    if (first === undefined || !due || !isAlive(first)) return;
    await killDaemon(first);
    view.note(`killed ${first.name} in round ${first.status?.round}; the others go on`);
  };
}

async function harvest(
  daemons: readonly Daemon[],
  files: TestnetFiles,
): Promise<Omit<FlockEnd, "wallSeconds">> {
  const [witness, ...others] = daemons.filter(isAlive);
  if (witness === undefined)
    throw new StarlingError("TESTNET_EMPTY", "expected a node that lived to the end");
  for (const daemon of [witness, ...others]) {
    daemon.status = JSON.parse(
      await runStarling(["status", "--json", "--data", daemon.dataDir]),
    ) as NodeStatus;
  }
  await runStarling(["export", "--data", witness.dataDir, "--out", files.export]);
  const control = await connectControl(witness.dataDir);
  return {
    all: daemons.map(({ status }) => status),
    live: [witness, ...others].map(({ status }) => status).filter((status) => status !== null),
    killed: daemons.filter((daemon) => !isAlive(daemon)).map(({ name }) => name),
    sample: SAMPLE.prompt + (control === undefined ? "" : await textOf(control.generate(SAMPLE))),
  };
}

/** Those that did not stop with 0. */
async function stopDaemons(daemons: readonly Daemon[], clock: Clock): Promise<string[]> {
  const living = daemons.filter(isAlive);
  const ended = await Promise.all(living.map((daemon) => stopDaemon(daemon, clock)));
  return living.flatMap(({ name, logPath }, i) =>
    ended[i] === 0 ? [] : [`${name}: ${ended[i]}, see ${logPath}`],
  );
}

async function textOf(parts: AsyncIterable<string>): Promise<string> {
  let text = "";
  for await (const part of parts) text += part;
  return text;
}
