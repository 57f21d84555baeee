/** What the node uses of its machine: the value now, and the last half hour as a line. */
import { sparkline } from "./charts.js";
import { byId, h, say } from "./dom.js";
import { UNKNOWN, bytes, count, duration, percent } from "./format.js";

/** @typedef {import("../snapshot.ts").Snapshot} Snapshot */

/** @param {string} title */
function gauge(title) {
  const value = h("p", { class: "value" }, UNKNOWN);
  const note = h("p", { class: "note" });
  const box = h("section", { class: "gauge" }, h("h3", {}, title), value, note);
  byId("host").append(box);
  return {
    box,
    /**
     * @param {string} now
     * @param {string} more
     */
    show(now, more) {
      say(value, now);
      say(note, more);
    },
  };
}

/** @param {ReturnType<typeof gauge>} g */
function bar(g) {
  const element = /** @type {HTMLProgressElement} */ (
    h("progress", { max: "1", value: "0", "aria-hidden": "true" })
  );
  g.box.append(element);
  return element;
}

const speed = gauge("Speed");
const work = gauge("Training");
const processor = gauge("Processor");
const memory = gauge("Memory");
const traffic = gauge("Traffic");
const disk = gauge("Disk");
const speedLine = sparkline(speed.box, 1);
const workBar = bar(work);
const processorLine = sparkline(processor.box, 1);
const memoryLine = sparkline(memory.box, 1);
const trafficLine = sparkline(traffic.box, 2);
const diskBar = bar(disk);
let drawnAtMs = -1;

/** @param {Snapshot} snapshot */
export function showHost({ host, samples }) {
  const perSecond = (/** @type {number | null | undefined} */ rate) =>
    rate === null || rate === undefined ? UNKNOWN : `${bytes(rate)}/s`;
  speed.show(
    host.tokensPerSecond === null ? UNKNOWN : `${count(host.tokensPerSecond)} tok/s`,
    "while training",
  );
  work.show(percent(host.trainingShare), `of the time · ${duration(1000 * host.trainingSeconds)}`);
  processor.show(percent(host.cpuShare), `of ${host.coresCount} cores`);
  memory.show(bytes(host.memoryBytes), `of ${bytes(host.memoryTotalBytes)}`);
  traffic.show(
    `${perSecond(samples.outBytesPerSecond.at(-1))} out`,
    `${perSecond(samples.inBytesPerSecond.at(-1))} in · ${bytes(host.bytesOut + host.bytesIn)} in all`,
  );
  disk.show(bytes(host.diskBytes), `${bytes(host.diskFreeBytes)} free`);
  workBar.value = host.trainingShare ?? 0;
  diskBar.value =
    host.diskBytes === null || host.diskFreeBytes === null
      ? 0
      : host.diskBytes / Math.max(1, host.diskBytes + host.diskFreeBytes);
  const atMs = samples.atMs.at(-1);
  if (atMs === undefined || atMs === drawnAtMs) return;
  drawnAtMs = atMs;
  const at = [...samples.atMs];
  speedLine.set([at, [...samples.tokensPerSecond]]);
  processorLine.set([at, [...samples.cpuShare]]);
  memoryLine.set([at, [...samples.memoryBytes]]);
  trafficLine.set([at, [...samples.outBytesPerSecond], [...samples.inBytesPerSecond]]);
}
