/** The dashboard's doors: who may ask, what is answered, and that nothing is left open. */
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { createServer } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { silentLog, systemClock } from "../../../src/core/index.ts";
import { createApp } from "../../../src/dashboard/app.ts";
import { EventStreams } from "../../../src/dashboard/events.ts";
import {
  type Dashboard,
  type DashboardOptions,
  createDashboard,
  createMetrics,
} from "../../../src/dashboard/index.ts";
import { ChangingSource, aSnapshot } from "../../support/snapshot.ts";

const toStop: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const stop of toStop.splice(0).reverse()) await stop();
});

const LOOPBACK: DashboardOptions = { host: "127.0.0.1", port: 0, otherPort: false, names: [] };

async function open(options: Partial<DashboardOptions> = {}): Promise<{
  dashboard: Dashboard;
  source: ChangingSource;
  url: string;
}> {
  const source = new ChangingSource();
  const dashboard = createDashboard(
    { ...LOOPBACK, ...options },
    { source, metrics: createMetrics(), clock: systemClock, log: silentLog },
  );
  await dashboard.start();
  toStop.push(() => dashboard.stop());
  return { dashboard, source, url: dashboard.url() ?? "" };
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
}

/** With the headers as given: `fetch` would not let us lie about Host and Origin. */
async function ask(
  url: string,
  path: string,
  o: { method?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const asked = request(new URL(path, url), { method: o.method ?? "GET", headers: o.headers, agent: false });
  asked.end();
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  const text = (await response.toArray()).join("");
  return { status: response.statusCode, headers: response.headers, text };
}

describe("N3 the dashboard's server", () => {
  test.each([
    ["another name that resolves to us", { host: "rebound.example:4780" }, "HOST_FOREIGN"],
    ["a name that begins like ours", { host: "localhost.example" }, "HOST_FOREIGN"],
    ["a foreign page", { origin: "http://site.example" }, "ORIGIN_FOREIGN"],
    ["a page in a sandbox", { origin: "null" }, "ORIGIN_FOREIGN"],
    ["another port of this machine", { origin: "http://127.0.0.1:1" }, "ORIGIN_FOREIGN"],
  ])("refuses %s on every path", async (_, headers, code) => {
    const { url } = await open();
    for (const path of ["/", "/main.js", "/api/snapshot", "/api/events", "/metrics", "/healthz", "/none"]) {
      const { status, text } = await ask(url, path, { headers });
      expect(status, path).toBe(403);
      expect(JSON.parse(text)).toMatchObject({ code });
    }
  });

  test("answers under the loopback's names, its own address and the names that it was given", async () => {
    const { url } = await open({ names: ["node.lan"] });
    const { port } = new URL(url);
    for (const name of ["localhost", "LOCALHOST", "127.0.0.1", "[::1]", "node.lan"]) {
      const host = `${name}:${port}`;
      expect((await ask(url, "/api/snapshot", { headers: { host } })).status, host).toBe(200);
      const origin = `http://${host}`;
      expect((await ask(url, "/api/snapshot", { headers: { host, origin } })).status, origin).toBe(200);
    }
  });

  test("N3 changes nothing: no route takes anything but GET, so there is none that would need a token", async () => {
    const { routes } = createApp({
      source: new ChangingSource(),
      metrics: createMetrics(),
      events: new EventStreams({ source: new ChangingSource(), clock: systemClock }),
      assets: new Map([["/", { bytes: new Uint8Array(), type: "text/html" }]]),
      clock: systemClock,
      hosts: [],
    });
    // ALL: what goes before every route and answers none (the guard of Host and Origin, and etags).
    const taking = routes.filter(({ method, path }) => !(method === "ALL" && path === "/*"));
    expect(taking.length).toBeGreaterThan(5);
    expect(taking.map(({ method }) => method).filter((method) => method !== "GET")).toEqual([]);
  });

  test("N3 only reads: every other method finds nothing", async () => {
    const { url } = await open();
    for (const path of ["/", "/main.js", "/api/snapshot", "/api/events", "/metrics", "/healthz", "/readyz"])
      for (const method of ["POST", "PUT", "DELETE", "PATCH"])
        expect((await ask(url, path, { method })).status, `${method} ${path}`).toBe(404);
  });

  test("lets the browser load from here only, and nobody frame it, on answers of every kind", async () => {
    const { url } = await open();
    for (const [path, host] of [
      ["/", undefined],
      ["/api/snapshot", undefined],
      ["/none", undefined],
      ["/", "x.example"],
    ] as const) {
      const { headers } = await ask(url, path, host === undefined ? {} : { headers: { host } });
      expect(headers["content-security-policy"]).toMatch(/^default-src 'none'; script-src 'self'; /);
      expect(headers["content-security-policy"]).toContain("frame-ancestors 'none'");
      expect(headers["content-security-policy"]).not.toContain("unsafe");
      expect(headers["x-content-type-options"]).toBe("nosniff");
    }
  });

  test("serves the page and all that it names, each as what it is, and nothing outside", async () => {
    const { url } = await open();
    const page = await ask(url, "/");
    expect(page.headers["content-type"]).toBe("text/html; charset=utf-8");
    const seen = new Set<string>();
    const queue = [...page.text.matchAll(/(?:href|src)="([^"#]+)"/g)].map((match) => match[1] ?? "");
    for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
      if (seen.has(path)) continue;
      seen.add(path);
      const { status, headers, text } = await ask(url, path);
      expect(status, path).toBe(200);
      expect(headers["content-type"], path).toMatch(/^(text\/(css|javascript)|image\/svg\+xml)/);
      if (path.endsWith(".js"))
        queue.push(...[...text.matchAll(/from "\.\/([^"]+)"/g)].map((match) => match[1] ?? ""));
    }
    expect([...seen]).toEqual(expect.arrayContaining(["main.js", "mesh.js", "uplot/uPlot.esm.js"]));
    for (const path of ["/../package.json", "/%2e%2e/package.json", "/page/main.js", "/tsconfig.json"])
      expect((await ask(url, path)).status, path).toBe(404);
  });

  test("sends a snapshot at once and another when the node has changed", async () => {
    const { url, source } = await open();
    const { body } = await fetch(new URL("/api/events", url));
    const chunks = (body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream());
    const events: unknown[] = [];
    let rest = "";
    for await (const chunk of chunks) {
      rest += chunk;
      for (let end = rest.indexOf("\n\n"); end >= 0; end = rest.indexOf("\n\n")) {
        const data = /^data: (.*)$/m.exec(rest.slice(0, end))?.[1] ?? "";
        rest = rest.slice(end + 2);
        events.push((JSON.parse(data) as { round: number }).round);
        source.set(aSnapshot({ round: 13 }));
      }
      if (events.length >= 2) break;
    }
    expect(events).toEqual([12, 13]);
  });

  test("a page that is gone is forgotten; stop() ends those that are open, and may be called twice", async () => {
    const { url, source, dashboard } = await open();
    const gone = new AbortController();
    await fetch(new URL("/api/events", url), { signal: gone.signal });
    const { body } = await fetch(new URL("/api/events", url));
    expect(source.listenersCount).toBe(2);
    gone.abort();
    await expect.poll(() => source.listenersCount).toBe(1);
    await dashboard.stop();
    await dashboard.stop();
    await expect(new Response(body).text()).rejects.toThrow();
    await expect.poll(() => source.listenersCount).toBe(0);
    await expect(fetch(url)).rejects.toThrow();
  });

  test("has room for 16 open pages, and says so to the next", async () => {
    const { url } = await open();
    const gone = new AbortController();
    toStop.push(async () => gone.abort());
    // Held, or the garbage collector closes a page that nobody reads, and there is room again.
    const pages: Response[] = [];
    while (pages.length < 16) pages.push(await fetch(new URL("/api/events", url), { signal: gone.signal }));
    const { status, text } = await ask(url, "/api/events");
    expect(status).toBe(503);
    expect(JSON.parse(text)).toMatchObject({ code: "STREAMS_MAX" });
    expect(pages.map((page) => page.status)).toEqual(Array(16).fill(200));
  });

  test("a taken port is an error that says what to do, or any free one is taken instead", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    toStop.push(async () => taken.close());
    const { port } = taken.address() as { port: number };
    await expect(open({ port })).rejects.toMatchObject({
      code: "DASHBOARD_LISTEN_FAILED",
      message: expect.stringContaining("--no-dashboard") as string,
    });
    const { url } = await open({ port, otherPort: true });
    expect(Number(new URL(url).port)).not.toBe(port);
    expect((await ask(url, "/healthz")).status).toBe(200);
  });
});

describe("N4 health", () => {
  test("/healthz answers while the process does; /readyz says whether the node takes part", async () => {
    const { url, source } = await open();
    const states = { starting: 503, fetching: 503, waiting: 200, training: 200, finished: 200, stopped: 503 };
    for (const [state, status] of Object.entries(states)) {
      source.set(aSnapshot({ node: { ...aSnapshot().node, state } }));
      const ready = await ask(url, "/readyz");
      expect(ready.status, state).toBe(status);
      expect(JSON.parse(ready.text)).toEqual({ ok: status === 200, state, round: 12 });
      expect((await ask(url, "/healthz")).status).toBe(200);
    }
  });
});
