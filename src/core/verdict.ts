/** What we think of bytes that a peer sent. Returned, never thrown: the caller decides, the peer pays. */
export type Verdict<T> = Accepted<T> | Refused;

export interface Accepted<T> {
  readonly kind: "accept";
  readonly value: T;
}

/**
 * `ignore`: not useful to us now, but no fault of the sender (stale, unknown, another history).
 * `reject`: no honest peer would have sent it; the sender loses score.
 */
export interface Refused {
  readonly kind: "ignore" | "reject";
  /** Stable and greppable, such as `HEADER_SIGNATURE`. */
  readonly code: string;
  /** What was expected and what came. */
  readonly detail: string;
}

export function accept<T>(value: T): Accepted<T> {
  return { kind: "accept", value };
}

export function ignore(code: string, detail: string): Refused {
  return { kind: "ignore", code, detail };
}

export function reject(code: string, detail: string): Refused {
  return { kind: "reject", code, detail };
}
