/**
 * Shows watched nodes as they change: on a terminal a table that is redrawn in place, elsewhere (a file, a pipe, CI)
 * one plain line per round. NO_COLOR (https://no-color.org) and FORCE_COLOR are respected.
 */
import { createLogUpdate } from "log-update";
import { type WatchedNode, positionOf, renderLine, renderTable } from "./table.ts";

export interface LiveView {
  /** Call it with the newest statuses as often as there are any. */
  show(nodes: readonly WatchedNode[]): void;
  /** A line that stays. */
  note(line: string): void;
  /** Leaves the last table standing; nothing may be shown afterwards. */
  close(): void;
}

/** `env`: where NO_COLOR is looked up. */
export function createLiveView(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv): LiveView {
  return stream.isTTY ? terminalView(stream, wantsColour(env)) : lineView(stream);
}

function terminalView(stream: NodeJS.WriteStream, colour: boolean): LiveView {
  const update = createLogUpdate(stream);
  return {
    show: (nodes) => update(renderTable(nodes, { colour })),
    note: (line) => update.persist(line),
    close: () => update.done(),
  };
}

function lineView(stream: NodeJS.WriteStream): LiveView {
  let shown = { phase: -1, round: -1 };
  return {
    show: (nodes) => {
      const now = positionOf(nodes);
      if (now.phase < shown.phase || (now.phase === shown.phase && now.round <= shown.round)) return;
      shown = now;
      stream.write(`${renderLine(nodes)}\n`);
    },
    note: (line) => stream.write(`${line}\n`),
    close: () => undefined,
  };
}

function wantsColour(env: NodeJS.ProcessEnv): boolean {
  return (env["NO_COLOR"] ?? "") === "";
}
