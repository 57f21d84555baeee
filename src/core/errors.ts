/**
 * Three kinds of failure, never mixed: an operating error is thrown with a code (here), a peer's fault is a value
 * (verdict.ts), and a bug of ours is an assertion.
 */

/** An operating error: what was expected, what came, and what to do, for the person who reads it. */
export class StarlingError extends Error {
  override readonly name = "StarlingError";
  /** Stable and greppable, such as `MANIFEST_INVALID`. */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Stops the process's current work because our own code is wrong; never caught except at the outermost door. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${message}`);
}

/** The message of anything that can be thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
