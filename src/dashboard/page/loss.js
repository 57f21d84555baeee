/** The loss panel: both curves over tokens, and what they are where the cursor is. */
import { lossChart } from "./charts.js";
import { byId, h } from "./dom.js";
import { count, nats } from "./format.js";

/** @typedef {import("../snapshot.ts").Snapshot} Snapshot */
/** @typedef {{ tokens: number, training: number | null, validation: number | null }} Point */

const box = byId("loss-chart");
const readout = byId("loss-readout");
const empty = h("p", { class: "empty" }, "The curve begins with the first round.");
const chart = lossChart(box, show);
/** @type {readonly Point[]} */
let points = [];
let shown = "";

/** @param {Snapshot} snapshot */
export function showLoss({ training, validation }) {
  const key = JSON.stringify([training, validation]);
  if (key === shown) return;
  shown = key;
  points = joined(training, validation);
  if (points.length === 0) return box.append(empty);
  empty.remove();
  chart.set([
    points.map(({ tokens }) => tokens),
    points.map((point) => point.training),
    points.map((point) => point.validation),
  ]);
  const last = (/** @type {"training" | "validation"} */ key) =>
    points.findLast((point) => point[key] !== null)?.[key];
  box.setAttribute(
    "aria-label",
    `Loss over ${count(points.at(-1)?.tokens)} tokens: training ${nats(last("training"))}, validation ${nats(last("validation"))} nats`,
  );
  show(null);
}

/**
 * Both curves over one axis; where one has no point, null.
 * @param {import("../snapshot.ts").Curve} training
 * @param {import("../snapshot.ts").Curve} validation
 * @returns {Point[]}
 */
function joined(training, validation) {
  /** @type {Map<number, Point>} */
  const at = new Map();
  const pointAt = (/** @type {number} */ tokens) => {
    const point = at.get(tokens) ?? { tokens, training: null, validation: null };
    at.set(tokens, point);
    return point;
  };
  training.tokens.forEach((tokens, i) => (pointAt(tokens).training = training.lossNats[i] ?? null));
  validation.tokens.forEach((tokens, i) => (pointAt(tokens).validation = validation.lossNats[i] ?? null));
  return [...at.values()].sort((a, b) => a.tokens - b.tokens);
}

/** @param {number | null} index null: the newest of each */
function show(index) {
  const newest = (/** @type {"training" | "validation"} */ key) =>
    points.findLast((point) => point[key] !== null)?.[key] ?? null;
  const point = index === null ? undefined : points[index];
  const at = point === undefined ? "" : `at ${count(point.tokens)} tokens`;
  readout.replaceChildren(
    at,
    h("span", { class: "key accent" }),
    "validation ",
    h("b", {}, nats(point === undefined ? newest("validation") : point.validation)),
    h("span", { class: "key" }),
    "training ",
    h("b", {}, nats(point === undefined ? newest("training") : point.training)),
  );
}
