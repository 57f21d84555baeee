/**
 * A flock on one machine: `npm run testnet`. Real `starling start` processes with their own keys, folders and ports,
 * shown live until the run has ended; then what they settled is compared. Exit code 1 when that differs or a node
 * died by itself, and with `--strict` when a ladder was not climbed as it should be.
 */
import { writeFile } from "node:fs/promises";
import { reportFailure } from "../src/cli/failure.ts";
import { createLiveView } from "../src/cli/index.ts";
import { StarlingError, systemClock } from "../src/core/index.ts";
import { trainBaseline } from "./testnet/baseline.ts";
import { runFlock } from "./testnet/flock.ts";
import { filesOf, readOptions } from "./testnet/options.ts";
import { reportOf, rootsAgree } from "./testnet/report.ts";
import { summaryOf } from "./testnet/summary.ts";
import { writeText } from "./testnet/text.ts";

const interrupt = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) {
  process.once(name, () => interrupt.abort(new StarlingError("TESTNET_INTERRUPTED", `stopped by ${name}`)));
}

/** The exit code. */
async function testnet(argv: readonly string[], signal: AbortSignal): Promise<number> {
  const options = await readOptions(argv);
  const files = filesOf(options);
  const view = createLiveView(process.stdout, process.env);
  view.note(`folder ${options.dir}`);
  await writeText(files.text);
  const end = await runFlock(options, files, { view, clock: systemClock, signal });
  const baseline = options.baseline ? await trainBaseline(options.dir, files, end) : null;
  const report = reportOf({ ...options, ...end, baseline });
  await writeFile(options.report, `${JSON.stringify(report, null, 2)}\n`);
  process.stdout.write(
    summaryOf({ report, sample: end.sample, exportDir: files.export, reportPath: options.report }),
  );
  return rootsAgree(report) && !(options.strict && report.climbFaults.length > 0) ? 0 : 1;
}

try {
  process.exitCode = await testnet(process.argv.slice(2), interrupt.signal);
} catch (error) {
  process.exitCode = reportFailure(error);
}
