/** The page of metrics: those of the node itself, from the registry that answers `/metrics`. */
import { createMetrics } from "../../src/dashboard/index.ts";
import { code, opening, table } from "./markdown.ts";

const TEXT = `What \`/metrics\` says of the node, in base units. How to ask for it: [operating.md](../operating.md#metrics-and-health).
Beside these there are libp2p's own (\`libp2p_\`) and the process' (\`process_\`, \`nodejs_\`).`;

export function renderMetrics(): string {
  const rows = createMetrics()
    .registry.getMetricsAsArray()
    .filter(({ name }) => name.startsWith("starling_"))
    .map((metric) => [code(metric.name), String(metric.type), labelsOf(metric), metric.help]);
  return `${opening("Metrics", TEXT)}\n${table(["name", "type", "labels", "meaning"], rows)}`;
}

/** The library's objects have them; its types do not say so. */
function labelsOf(metric: object): string {
  const labels = "labelNames" in metric && Array.isArray(metric.labelNames) ? metric.labelNames : [];
  return labels.map((label) => code(String(label))).join(", ") || "–";
}
