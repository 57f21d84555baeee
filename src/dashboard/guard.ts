/**
 * Who may ask. The page listens on one machine and knows no passwords, so a browser there must not be talked into asking
 * for somebody else: a foreign name that resolves to us (DNS rebinding) shows in Host, a foreign page in Origin. What the
 * page may load, and who may frame it, the browser enforces by the policy below.
 */
import type { MiddlewareHandler } from "hono";

/** Everything from here and nothing else: no inline script, no other host, no frame around it. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": POLICY,
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
};

const LOOPBACK_NAMES: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** `hosts`: names besides those of the loopback that requests may come under, such as the address listened on. */
export function guard(hosts: readonly string[]): MiddlewareHandler {
  const known = new Set([...LOOPBACK_NAMES, ...hosts]);
  return async (context, next) => {
    const host = context.req.header("host") ?? "";
    const origin = context.req.header("origin");
    for (const [name, value] of Object.entries(HEADERS)) context.header(name, value);
    if (!known.has(nameOf(host)))
      return refuse(
        "HOST_FOREIGN",
        `expected a request to this node by its own name, got Host ${JSON.stringify(host)}; tell the node of it with --dashboard-name`,
      );
    if (origin !== undefined && origin !== `http://${host}`)
      return refuse(
        "ORIGIN_FOREIGN",
        `expected a request from this page, got Origin ${JSON.stringify(origin)}`,
      );
    await next();

    function refuse(code: string, message: string): Response {
      return context.json({ code, message }, 403);
    }
  };
}

/** A Host header without its port: `[::1]:4780` gives `[::1]`. */
function nameOf(host: string): string {
  return host.replace(/:\d+$/, "").toLowerCase();
}
