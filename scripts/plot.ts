/**
 * The loss curve of testnet reports as a picture:
 *   node scripts/plot.ts REPORT... --out docs/images/loss.svg
 * Validation loss against tokens; a solid line for each flock, a dashed one for a node alone where the report has it.
 * The background is transparent and every colour has contrast on white and on black.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { Command } from "commander";
import { View, parse } from "vega";
import { type TopLevelSpec, compile } from "vega-lite";
import { reportFailure } from "../src/cli/failure.ts";
import { StarlingError, messageOf } from "../src/core/index.ts";
import type { Report } from "./testnet/report.ts";

interface Point {
  readonly run: string;
  readonly kind: "flock" | "alone";
  readonly tokens: number;
  readonly lossNats: number;
}

/** Middle grey: contrast over 3.5 on white and on GitHub's dark grey. */
const INK = "#808080";
/** Okabe and Ito, "Color Universal Design" (2008): told apart by colour-blind readers, mid-bright. */
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7"];

async function readReport(path: string): Promise<Report> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as Report;
  } catch (error) {
    throw new StarlingError(
      "REPORT_UNREADABLE",
      `expected a testnet report at ${path}: ${messageOf(error)}`,
      {
        cause: error,
      },
    );
  }
}

function pointsOf({ preset, seed, nodesCount, curve, baselineCurve }: Report): Point[] {
  const series = [
    { run: `${nodesCount} nodes, ${preset}, seed ${seed}`, kind: "flock", curve },
    { run: `one node alone, ${preset}, seed ${seed}`, kind: "alone", curve: baselineCurve ?? [] },
  ] as const;
  return series.flatMap(({ run, kind, curve: points }) =>
    points.map(({ tokens, validationLossNats }) => ({ run, kind, tokens, lossNats: validationLossNats })),
  );
}

function specOf(points: readonly Point[]): TopLevelSpec {
  const text = {
    labelColor: INK,
    titleColor: INK,
    labelFontSize: 12,
    titleFontSize: 13,
    titleFontWeight: "normal",
  };
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    width: 640,
    height: 320,
    background: "transparent",
    data: { values: [...points] },
    mark: { type: "line", strokeWidth: 2.5, interpolate: "linear" },
    encoding: {
      x: { field: "tokens", type: "quantitative", title: "tokens in the weights", axis: { format: "~s" } },
      y: {
        field: "lossNats",
        type: "quantitative",
        title: "validation loss (nats per token)",
        scale: { zero: false },
      },
      color: { field: "run", type: "nominal", title: null, scale: { range: COLOURS }, sort: null },
      strokeDash: { field: "kind", type: "nominal", legend: null, scale: { domain: ["flock", "alone"] } },
    },
    config: {
      font: "system-ui, sans-serif",
      view: { stroke: null },
      axis: { ...text, domainColor: INK, tickColor: INK, gridColor: INK, gridOpacity: 0.2 },
      legend: { ...text, orient: "top-right", labelLimit: 400, symbolStrokeWidth: 2.5 },
    },
  } as TopLevelSpec;
}

async function plot(reports: readonly string[], out: string): Promise<void> {
  const points = (await Promise.all(reports.map(readReport))).flatMap(pointsOf);
  const view = new View(parse(compile(specOf(points)).spec), { renderer: "none" });
  const svg = await view.toSVG();
  view.finalize();
  await mkdir(dirname(out), { recursive: true });
  await writeFile(out, `${svg}\n`);
  process.stdout.write(`${out}\n`);
}

const program = new Command("plot")
  .description("draws the loss curves of testnet reports")
  .argument("<report...>", "report.json of one or more testnet runs")
  .option("--out <file>", "where to write the picture", "docs/images/loss.svg")
  .action(async (reports: string[], { out }: { out: string }) => plot(reports, out));

try {
  await program.exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2)).parseAsync();
} catch (error) {
  process.exitCode = reportFailure(error);
}
