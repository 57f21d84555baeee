/** Curves, drawn by uPlot in the page's own colours, at whatever size their boxes have. */
import uPlot from "./uplot/uPlot.esm.js";
import { colour, h, moved } from "./dom.js";
import { count } from "./format.js";

const FONT = "12px system-ui, sans-serif";

/** Charts that must be drawn anew when the colours change. @type {Set<() => void>} */
const repaints = new Set();

export function repaint() {
  for (const paint of repaints) paint();
}

/**
 * A chart that follows its box's size. `options` is asked for again when the colours change.
 * @param {HTMLElement} box
 * @param {() => Omit<import("uplot").Options, "width" | "height">} options
 */
function chartIn(box, options) {
  /** @type {import("uplot").AlignedData} */
  let data = [[], []];
  /** @type {uPlot | undefined} */
  let chart;
  const size = () => ({ width: Math.max(40, box.clientWidth), height: Math.max(20, box.clientHeight) });
  const make = () => {
    chart?.destroy();
    chart = new uPlot({ ...options(), ...size() }, data, box);
  };
  new ResizeObserver(() => chart?.setSize(size())).observe(box);
  repaints.add(() => {
    if (chart !== undefined) make();
  });
  return {
    /** @param {import("uplot").AlignedData} next */
    set(next) {
      data = next;
      if (chart === undefined) make();
      else chart.setData(next);
    },
    get chart() {
      return chart;
    },
  };
}

/**
 * The loss curves: training behind, validation in front. `read` is called with the place that the cursor is at, or null.
 * @param {HTMLElement} box
 * @param {(index: number | null) => void} read
 */
export function lossChart(box, read) {
  const axis = () => ({
    stroke: colour("dim"),
    font: FONT,
    grid: { stroke: colour("line"), width: 1 },
    ticks: { show: false },
  });
  const held = chartIn(box, () => ({
    padding: [8, 14, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 8 } },
    scales: { x: { time: false } },
    axes: [
      {
        ...axis(),
        grid: { show: false },
        size: 30,
        space: 70,
        values: (_, ticks) => ticks.map((tick) => count(tick)),
      },
      { ...axis(), size: 42, space: 44 },
    ],
    series: [
      {},
      {
        label: "training",
        stroke: colour("grey-strong"),
        width: 1.5,
        spanGaps: true,
        points: { show: false },
      },
      {
        label: "validation",
        stroke: colour("accent"),
        width: 2.25,
        spanGaps: true,
        points: { show: false },
      },
    ],
    hooks: { setCursor: [(chart) => read(chart.cursor.idx ?? null)] },
  }));
  let place = -1;
  box.addEventListener("keydown", (event) => {
    const { chart } = held;
    if (chart === undefined) return;
    const length = chart.data[0].length;
    const next = moved(event, place < 0 ? length : place, length);
    if (next === undefined) return;
    place = next;
    const left = chart.valToPos(chart.data[0][place] ?? 0, "x");
    chart.setCursor({ left, top: chart.over.clientHeight / 2 });
  });
  box.addEventListener("blur", () => {
    place = -1;
    held.chart?.setCursor({ left: -10, top: -10 });
  });
  return held;
}

/**
 * A small line without axes; `fill` from zero.
 * @param {HTMLElement} box
 * @param {number} seriesCount
 */
export function sparkline(box, seriesCount) {
  const tones = ["accent", "grey-strong"];
  box.append(h("div", { class: "spark" }));
  const inner = /** @type {HTMLElement} */ (box.lastElementChild);
  return chartIn(inner, () => ({
    padding: [3, 0, 1, 0],
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: false }, y: { range: (_, __, max) => [0, max > 0 ? 1.15 * max : 1] } },
    axes: [{ show: false }, { show: false }],
    series: [
      {},
      ...Array.from({ length: seriesCount }, (_, i) => ({
        stroke: colour(tones[i] ?? "grey-strong"),
        ...(i === 0 ? { fill: colour("accent-wash") } : {}),
        width: 1.5,
        points: { show: false },
      })),
    ],
  }));
}
