/** The log of a worker thread: every line goes to the main thread, which has the real one. */
import type { Logger } from "../../core/index.ts";

export type LogLevel = keyof Omit<Logger, "child">;

export function threadLog(
  send: (level: LogLevel, message: string, context: Record<string, unknown>) => void,
): Logger {
  const say =
    (level: LogLevel): Logger[LogLevel] =>
    (message, context = {}) =>
      send(level, message, context);
  const log: Logger = {
    debug: say("debug"),
    info: say("info"),
    warn: say("warn"),
    error: say("error"),
    child: () => log,
  };
  return log;
}
