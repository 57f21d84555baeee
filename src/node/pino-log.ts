/**
 * The log port over pino, the only file that imports it. Lines are JSON, one per event, which tools can read; on a
 * terminal they are short text, which people can.
 */
import { type DestinationStream, type Logger as Pino, destination as fileDestination, pino } from "pino";
import type { Logger } from "../core/index.ts";

/** `trace` is all that there is: nothing of ours is below debug. */
export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "silent";

export interface LogOptions {
  readonly level: LogLevel;
  /** A file's path or a stream that takes lines; default: stderr. */
  readonly destination?: string | DestinationStream;
}

export function createLog({ level, destination }: LogOptions): Logger {
  return adapt(pino({ level, base: null, timestamp: isoTime }, streamOf(destination)));
}

function streamOf(destination: LogOptions["destination"]): DestinationStream {
  if (typeof destination === "object") return destination;
  // Synchronous, so that the last lines before a crash are there; a node logs a few lines a second at most.
  if (destination !== undefined) return fileDestination({ dest: destination, mkdir: true, sync: true });
  if (!process.stderr.isTTY) return fileDestination({ dest: 2, sync: true });
  return { write: (line) => process.stderr.write(lineForPeople(line)) };
}

const isoTime = (): string => `,"time":"${new Date().toISOString()}"`;

function adapt(log: Pino): Logger {
  return {
    debug: (message, context) => log.debug(context, message),
    info: (message, context) => log.info(context, message),
    warn: (message, context) => log.warn(context, message),
    error: (message, context) => log.error(context, message),
    child: (room) => adapt(log.child({ room })),
  };
}

interface PinoLine {
  readonly level: number;
  readonly time: string;
  readonly room?: string;
  readonly msg: string;
  readonly [context: string]: unknown;
}

/** `12:03:44 warn  gossip: message  peer=12D3 bytes=81`, from pino's JSON line. */
export function lineForPeople(line: string): string {
  const { level, time, room, msg, ...context } = JSON.parse(line) as PinoLine;
  const clock = time.slice(11, 19);
  const label = pino.levels.labels[level] ?? "info";
  const where = room === undefined ? "" : `${room}: `;
  const values = Object.entries(context).map(([key, value]) => ` ${key}=${shown(value)}`);
  return `${clock} ${label.padEnd(5)} ${where}${msg} ${values.join("")}`.trimEnd() + "\n";
}

function shown(value: unknown): string {
  return typeof value === "string" && !/\s/.test(value) ? value : JSON.stringify(value);
}
