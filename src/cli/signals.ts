/** Ctrl-C once asks a command to stop cleanly; twice forces it. */
import { EXIT_FORCED } from "./failure.ts";

/**
 * Calls `stop` on the first SIGINT or SIGTERM, or when the parent that holds an IPC channel to us is gone; a second
 * signal ends the process at once with 130. Disposing it gives the signals back.
 */
export function onStopSignal(stop: () => void): Disposable {
  let asked = false;
  const onSignal = (): void => {
    if (asked) process.exit(EXIT_FORCED);
    asked = true;
    process.stderr.write("stopping; again to force\n");
    stop();
  };
  const onDisconnect = (): void => stop();
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  process.on("disconnect", onDisconnect);
  return {
    [Symbol.dispose]: () => {
      process.off("SIGINT", onSignal);
      process.off("SIGTERM", onSignal);
      process.off("disconnect", onDisconnect);
    },
  };
}
