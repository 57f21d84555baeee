/**
 * Who may ask. With keys: whoever has one. Without: programs on this machine only, so a browser must not be talked into
 * asking for a foreign page; a name that was made to resolve to us shows in Host, a page in Origin.
 */
import type { MiddlewareHandler } from "hono";
import { type KeyRing } from "./keys.ts";
import { refuse } from "./refusal.ts";

/** What the middleware leaves for the routes. */
export interface Guarded {
  Variables: { keyName: string };
}

const LOOPBACK_NAMES: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** An address that only this machine reaches. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

/** With keys, only who has the one of this name reads what all have used. */
export const METRICS_KEY = "metrics";

export function mayReadMetrics(keys: KeyRing, keyName: string): boolean {
  return keys.isEmpty || keyName === METRICS_KEY;
}

export function guard(keys: KeyRing): MiddlewareHandler<Guarded> {
  return async (context, next) => {
    const host = (context.req.header("host") ?? "").toLowerCase();
    const origin = context.req.header("origin");
    if (keys.isEmpty && !LOOPBACK_NAMES.has(host.replace(/:\d+$/, "")))
      return refuse({ status: 403, code: "host_foreign", message: "expected a request to localhost" });
    if (keys.isEmpty && origin !== undefined && origin !== `http://${host}`)
      return refuse({ status: 403, code: "origin_foreign", message: "expected no request from a web page" });
    const keyName = keys.nameOf(context.req.header("authorization"));
    if (keyName === undefined)
      return refuse({
        status: 401,
        code: "invalid_api_key",
        message: "expected an API key of this server as `Authorization: Bearer KEY`",
      });
    context.set("keyName", keyName);
    return next();
  };
}
