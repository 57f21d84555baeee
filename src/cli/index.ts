/** What scripts share with the command line: how statuses are shown. */
export { bytes, count, nats, seconds, shortRoot } from "./format.ts";
export { type LiveView, createLiveView } from "./live-view.ts";
export { type WatchedNode, renderLine, renderTable } from "./table.ts";
