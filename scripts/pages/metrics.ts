/** The page of metrics: those of the node itself, from the registry that answers `/metrics`. */
import type { Registry } from "prom-client";
import { createMetrics } from "../../src/dashboard/index.ts";
import { UsageBook, createServingMetrics } from "../../src/serving/index.ts";
import { code, opening, table } from "./markdown.ts";

const TEXT = `What \`/metrics\` says of the node, in base units. How to ask for it: [operating.md](../operating.md#metrics-and-health).
Beside these there are libp2p's own (\`libp2p_\`) and the process' (\`process_\`, \`nodejs_\`).`;

const SERVING_TEXT = `## Of \`starling serve\`

On its own address, beside the process'. Who may ask: [serving.md](../serving.md#metrics).`;

export function renderMetrics(): string {
  const serving = createServingMetrics({
    usage: new UsageBook(),
    turns: { writing: 0, waiting: 0 },
    writer: { model: () => undefined },
  });
  const ofNode = tableOf(createMetrics().registry);
  return `${opening("Metrics", TEXT)}\n${ofNode}\n${SERVING_TEXT}\n\n${tableOf(serving.registry)}`;
}

function tableOf(registry: Registry): string {
  const rows = registry
    .getMetricsAsArray()
    .filter(({ name }) => name.startsWith("starling_"))
    .map((metric) => [code(metric.name), String(metric.type), labelsOf(metric), metric.help]);
  return table(["name", "type", "labels", "meaning"], rows);
}

/** The library's objects have them; its types do not say so. */
function labelsOf(metric: object): string {
  const labels = "labelNames" in metric && Array.isArray(metric.labelNames) ? metric.labelNames : [];
  return labels.map((label) => code(String(label))).join(", ") || "–";
}
