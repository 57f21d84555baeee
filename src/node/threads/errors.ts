/**
 * Operating errors between threads. A structured clone of an error keeps its message and forgets its code, and with it
 * whose fault it was and what helps. For birpc, whose answers carry what was thrown as `e`.
 */
import { StarlingError } from "../../core/index.ts";

interface Sent {
  readonly starlingCode: string;
  readonly message: string;
}

export function serialize(message: unknown): unknown {
  const { e } = message as { e?: unknown };
  if (!(e instanceof StarlingError)) return message;
  const sent: Sent = { starlingCode: e.code, message: e.message };
  return { ...(message as object), e: sent };
}

export function deserialize(message: unknown): unknown {
  const e = (message as { e?: Partial<Sent> }).e;
  if (e?.starlingCode === undefined) return message;
  return { ...(message as object), e: new StarlingError(e.starlingCode, e.message ?? "") };
}
