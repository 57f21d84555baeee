/**
 * Draws the compiled training step of a model with one layer, from the bytes that the engine is given: one dot for each
 * operation, left to right in the order that they need each other.
 *
 * usage: node scripts/draw-step.ts docs/images/training-step.svg
 */
import { writeFileSync } from "node:fs";
import { OnnxModel } from "../src/trainer/graph/onnx-schema.ts";
import { type ModelConfig, modelPresets, optimizerSchema } from "../src/trainer/index.ts";
import { trainingProgram } from "../src/trainer/model/programs.ts";

interface OnnxNode {
  readonly opType: string;
  readonly input: readonly string[];
  readonly output: readonly string[];
}

type Part = "forward" | "backward" | "update";

interface Dot {
  readonly node: OnnxNode;
  readonly from: readonly Dot[];
  readonly column: number;
  readonly part: Part;
  y: number;
}

const COLORS: Readonly<Record<Part, string>> = { forward: "#2b6cb0", backward: "#c05621", update: "#2f855a" };
const MEANING: Readonly<Record<Part, string>> = {
  forward: "forward: from tokens and weights to the loss",
  backward: "backward: the gradient of every weight, and their common norm",
  update: "update: AdamW, which waits for the norm and so for every gradient",
};
const PRODUCTS: ReadonlySet<string> = new Set(["Gemm", "MatMul"]);
const COLUMN_PX = 12;
const ROW_PX = 11;
const MARGIN_PX = 16;
const LEGEND_PX = 84;

const [out] = process.argv.slice(2);
if (out === undefined) {
  process.stderr.write("usage: node scripts/draw-step.ts FILE.svg\n");
  process.exit(2);
}
const model: ModelConfig = { ...modelPresets.tiny, layersCount: 1 };
const dots = dotsOf(nodesOf(trainingProgram(model, optimizerSchema.parse({}), { sequences: 1 })));
writeFileSync(out, svgOf(dots));
process.stdout.write(`${dots.length} operations in ${1 + Math.max(...dots.map((d) => d.column))} columns\n`);

function nodesOf(program: Uint8Array): readonly OnnxNode[] {
  const decoded = OnnxModel.toObject(OnnxModel.decode(program), { arrays: true });
  return (decoded as unknown as { graph: { node: readonly OnnxNode[] } }).graph.node;
}

function dotsOf(nodes: readonly OnnxNode[]): Dot[] {
  const madeBy = new Map(nodes.flatMap((node) => node.output.map((name) => [name, node] as const)));
  const forward = new Set<OnnxNode>();
  const reach = (node: OnnxNode | undefined): void => {
    if (node === undefined || forward.has(node)) return;
    forward.add(node);
    for (const name of node.input) reach(madeBy.get(name));
  };
  reach(madeBy.get("loss"));

  const dots = new Map<OnnxNode, Dot>();
  for (const node of nodes) {
    const from = node.input.flatMap((name) => dots.get(madeBy.get(name) as OnnxNode) ?? []);
    const waits =
      from.some(({ part }) => part === "update") ||
      node.input.some((name) => name === "gradientNorm" || name.startsWith("moment"));
    const rest: Part = waits ? "update" : "backward";
    const column = 1 + Math.max(-1, ...from.map((dot) => dot.column));
    dots.set(node, { node, from, column, part: forward.has(node) ? "forward" : rest, y: 0 });
  }
  return [...dots.values()];
}

/** Rows: within a column, dots stand in the order of where their inputs stand. */
function place(all: readonly Dot[]): number {
  const columns = Map.groupBy(all, ({ column }) => column);
  const rowsMax = Math.max(...[...columns.values()].map((column) => column.length));
  for (const index of [...columns.keys()].toSorted((a, b) => a - b)) {
    const column = columns.get(index) as Dot[];
    const middle = ({ from }: Dot): number =>
      from.length === 0 ? rowsMax / 2 : from.reduce((sum, dot) => sum + dot.y, 0) / from.length;
    const ordered = column.toSorted((a, b) => middle(a) - middle(b));
    ordered.forEach((dot, i) => (dot.y = (rowsMax - column.length) / 2 + i));
  }
  return rowsMax;
}

function svgOf(all: readonly Dot[]): string {
  const rows = place(all);
  const width = 2 * MARGIN_PX + COLUMN_PX * (1 + Math.max(...all.map(({ column }) => column)));
  const height = 2 * MARGIN_PX + ROW_PX * rows + LEGEND_PX;
  const x = (dot: Dot): number => MARGIN_PX + COLUMN_PX * dot.column;
  const y = (dot: Dot): number => Math.round(MARGIN_PX + ROW_PX * dot.y);
  const lines = all.flatMap((dot) =>
    dot.from.map((from) => {
      const bend = (x(from) + x(dot)) / 2;
      return `<path d="M${x(from)} ${y(from)}C${bend} ${y(from)} ${bend} ${y(dot)} ${x(dot)} ${y(dot)}" stroke="${COLORS[dot.part]}"/>`;
    }),
  );
  const circles = all.map((dot) => {
    const { opType } = dot.node;
    const radius = PRODUCTS.has(opType) ? 5 : 2.5;
    return `<circle cx="${x(dot)}" cy="${y(dot)}" r="${radius}" fill="${COLORS[dot.part]}"><title>${opType}</title></circle>`;
  });
  const legend = (Object.keys(COLORS) as Part[]).map((part, i) => {
    const count = all.filter((dot) => dot.part === part).length;
    const top = height - LEGEND_PX + 20 + 18 * i;
    return `<circle cx="${MARGIN_PX}" cy="${top - 4}" r="5" fill="${COLORS[part]}"/><text x="${MARGIN_PX + 12}" y="${top}">${MEANING[part]} (${count} operations)</text>`;
  });
  const products = all.filter(({ node }) => PRODUCTS.has(node.opType)).length;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="13" fill="#4a5568">`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    `<g fill="none" stroke-width="0.7" opacity="0.35">${lines.join("")}</g>`,
    ...circles,
    ...legend,
    `<text x="${MARGIN_PX + 12}" y="${height - LEGEND_PX + 74}">large dots: the ${products} matrix products, where the time goes</text>`,
    "</svg>\n",
  ].join("\n");
}
