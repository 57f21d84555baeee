/**
 * `starling verify`: checks a node's whole history offline. Findings go to stdout, one a line; on a terminal stderr has a
 * progress bar. Exit codes: 0 all checked, 1 something is false, 2 nothing is false but not all could be checked.
 */
import { createLogUpdate } from "log-update";
import { type VerifyProgress, createLog, verifyOffline } from "../../node/index.ts";
import { assertDataExists } from "../data-folder.ts";
import { describeReport } from "../describe-report.ts";
import { onStopSignal } from "../signals.ts";

export interface VerifyArguments {
  readonly data: string;
  readonly fromStart: boolean;
  readonly json: boolean;
}

const EXIT_FALSE = 1;
const EXIT_UNCHECKED = 2;
const BAR_WIDTH = 40;

export async function verify({ data, fromStart, json }: VerifyArguments): Promise<void> {
  await assertDataExists(data);
  const stopping = new AbortController();
  using _signals = onStopSignal(() => stopping.abort());
  const bar = process.stderr.isTTY ? createLogUpdate(process.stderr) : undefined;
  const report = await verifyOffline(
    data,
    {
      fromStart,
      signal: stopping.signal,
      onFinding: (finding) => {
        const { code, subject, detail } = finding;
        process.stdout.write(json ? `${JSON.stringify(finding)}\n` : `false ${code} ${subject}: ${detail}\n`);
      },
      onProgress: (progress) => bar?.(renderBar(progress)),
    },
    { log: createLog({ level: "warn" }) },
  );
  bar?.clear();
  process.stdout.write(json ? `${JSON.stringify(report)}\n` : describeReport(report));
  const isWhole = report.uncheckedCount === 0 && !report.isInterrupted;
  process.exitCode = report.findingsCount > 0 ? EXIT_FALSE : isWhole ? 0 : EXIT_UNCHECKED;
}

function renderBar({ roundsDone, roundsCount, roundsPerSecond }: VerifyProgress): string {
  const done = Math.round((BAR_WIDTH * roundsDone) / roundsCount);
  const left =
    roundsPerSecond > 0 ? ` ${Math.ceil((roundsCount - roundsDone) / roundsPerSecond)} s left` : "";
  const bar = "█".repeat(done) + "░".repeat(BAR_WIDTH - done);
  return `${bar} round ${roundsDone}/${roundsCount} ${roundsPerSecond.toFixed(1)}/s${left}`;
}
