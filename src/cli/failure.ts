/**
 * What the process says when it fails. Exit codes: 0 ok, 1 an operating error, 2 wrong arguments, 70 a bug of ours
 * (EX_SOFTWARE of sysexits.h), 130 forced by a second signal.
 */
import { StarlingError } from "../core/index.ts";

export const EXIT_OPERATING = 1;
export const EXIT_USAGE = 2;
export const EXIT_BUG = 70;
export const EXIT_FORCED = 130;

/** Wrong arguments that only a command itself can see: what was expected, what came, what to do. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Writes the error to stderr, without a stack unless it is our bug, and gives the exit code. */
export function reportFailure(error: unknown): number {
  if (error instanceof UsageError) {
    process.stderr.write(`error: ${error.message}\n`);
    return EXIT_USAGE;
  }
  if (error instanceof StarlingError) {
    process.stderr.write(`error ${error.code}: ${error.message}\n`);
    return EXIT_OPERATING;
  }
  const system = error as NodeJS.ErrnoException;
  if (system instanceof Error && system.syscall !== undefined) {
    // The operating system's refusal (no space, no permission): its message names the call and the path.
    process.stderr.write(`error ${system.code ?? "SYSTEM"}: ${system.message}\n`);
    return EXIT_OPERATING;
  }
  const stack = error instanceof Error ? error.stack : String(error);
  process.stderr.write(
    `error BUG: this is a mistake in starling; please report it with what follows\n${stack}\n`,
  );
  return EXIT_BUG;
}
