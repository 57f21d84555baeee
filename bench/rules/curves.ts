/** Loss against tokens and against bytes, as SVG; readable on white and on black. */
import { View, parse } from "vega";
import { type TopLevelSpec, compile } from "vega-lite";
import { type Result, meanCurve } from "./table.ts";

/** Middle grey: contrast over 3.5 on white and on GitHub's dark grey. */
const INK = "#808080";

export async function curvesOf(results: readonly Result[], over: "tokens" | "bytesPerNode"): Promise<string> {
  const values = results.flatMap((result) =>
    meanCurve(result)
      // The first point is the same for all, and a logarithm has no zero.
      .filter((point) => point[over] > 0)
      .map((point) => ({ rule: result.name, x: point[over], nats: point.validationLossNats })),
  );
  const text = {
    labelColor: INK,
    titleColor: INK,
    labelFontSize: 12,
    titleFontSize: 13,
    titleFontWeight: "normal",
  };
  const title = over === "tokens" ? "tokens trained by all" : "bytes sent per node";
  const spec = {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    width: 640,
    height: 360,
    background: "transparent",
    data: { values },
    mark: { type: "line", strokeWidth: 2 },
    encoding: {
      x: {
        field: "x",
        type: "quantitative",
        title,
        scale: { type: over === "tokens" ? "linear" : "log" },
        axis: { format: "~s", tickCount: 8 },
      },
      y: {
        field: "nats",
        type: "quantitative",
        title: "validation loss (nats per token)",
        scale: { zero: false },
      },
      color: { field: "rule", type: "nominal", title: null, sort: null, scale: { scheme: "tableau20" } },
    },
    config: {
      font: "system-ui, sans-serif",
      view: { stroke: null },
      axis: { ...text, domainColor: INK, tickColor: INK, gridColor: INK, gridOpacity: 0.2 },
      legend: { ...text, orient: "right", labelLimit: 800 },
    },
  } as TopLevelSpec;
  const view = new View(parse(compile(spec).spec), { renderer: "none" });
  const svg = await view.toSVG();
  view.finalize();
  return `${svg}\n`;
}
