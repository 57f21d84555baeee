/** N3: the dashboard as people meet it, in a real browser. */
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { silentLog, systemClock } from "../../src/core/index.ts";
import { type Dashboard, type Snapshot, createDashboard, createMetrics } from "../../src/dashboard/index.ts";
import { ChangingSource, aContribution, aSnapshot, peerNamed } from "../support/snapshot.ts";
import { launch } from "./chromium.ts";

let browser: Browser;
const toStop: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  browser = await launch();
});
afterAll(async () => browser.close());
afterEach(async () => {
  for (const stop of toStop.splice(0).reverse()) await stop();
});

const DESKTOP = { viewport: { width: 1280, height: 900 } };
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

async function serve(source: ChangingSource, port = 0): Promise<Dashboard> {
  const dashboard = createDashboard(
    { host: "127.0.0.1", port, otherPort: false, names: [] },
    { source, metrics: createMetrics(), clock: systemClock, log: silentLog },
  );
  await dashboard.start();
  toStop.push(() => dashboard.stop());
  return dashboard;
}

interface Opened {
  readonly page: Page;
  readonly source: ChangingSource;
  readonly dashboard: Dashboard;
  /** Of everything that the page has asked for. */
  readonly hosts: Set<string>;
  /** What the page complained about. */
  readonly complaints: string[];
}

async function open(
  snapshot: Snapshot = aSnapshot(),
  options: BrowserContextOptions = DESKTOP,
): Promise<Opened> {
  const source = new ChangingSource(snapshot);
  const dashboard = await serve(source);
  const context = await browser.newContext(options);
  toStop.push(() => context.close());
  const page = await context.newPage();
  const hosts = new Set<string>();
  const complaints: string[] = [];
  page.on("request", (request) => hosts.add(new URL(request.url()).host));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  await page.goto(dashboard.url() ?? "");
  await page.waitForSelector("main[aria-busy=false]");
  return { page, source, dashboard, hosts, complaints };
}

const text = (page: Page, selector: string): Promise<string> => page.locator(selector).innerText();

/** Whether anything was painted in a canvas. */
function isPainted(page: Page, selector: string): Promise<boolean> {
  return page.evaluate((query) => {
    const canvas = document.querySelector<HTMLCanvasElement>(`${query} canvas`);
    const data = canvas?.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
    return data.some((byte: number) => byte !== 0);
  }, selector);
}

describe("N3 content", () => {
  test("every panel shows its part of the snapshot", async () => {
    const { page, complaints } = await open();
    expect(await text(page, "#run-name")).toBe("whale");
    expect(await text(page, "#node-line"), "N2: two devices").toContain("· cpu × 2 ·");
    expect(await text(page, "#state")).toBe("training");
    expect(await text(page, "#figures")).toMatch(
      /Round\s+12\s+4 settled[^]*2\.500\s+from 5\.545[^]*11 of 12/,
    );
    expect(await isPainted(page, "#loss-chart")).toBe(true);
    expect(await text(page, "#loss-readout")).toMatch(/validation 3\.500\s*training 3\.000/);
    expect(await text(page, "#phases")).toMatch(
      /Phase 0[^]*3\.0 k of 4\.0 k tokens\s+75 %[^]*Phase 1[^]*0 of 9\.0 k tokens/,
    );
    expect(await page.locator("#rounds .round").count()).toBe(2);
    expect(await text(page, "#rounds-readout")).toMatch(
      /^Round 12 so far: 5\.0 s \(prepare 300 ms, train 4\.0 s,/,
    );
    expect(await page.locator("#mesh [role=listitem]").count()).toBe(2);
    expect(await page.locator("#mesh .wire.neighbour").count()).toBe(1);
    expect(await page.locator("#mesh .citation").count()).toBe(1);
    const rows = await page.locator("#contributions tr").allInnerTexts();
    expect(rows.map((row) => row.split(/\s+/).slice(0, 4).join(" "))).toEqual([
      "12 this node arriving",
      "11 Ada111 included 2.400",
      "10 Bob111 excluded: equivocation",
    ]);
    expect(await text(page, "#ranking")).toMatch(/1\s+Ada111\s+50 %\s+1.500\s+2\s+this node/);
    expect(await text(page, "#host")).toMatch(/9\.1 k tok\/s[^]*70 %[^]*412 MB[^]*90 kB\/s out[^]*31 MB/);
    expect(complaints).toEqual([]);
  });

  test("before anything has happened every panel says so", async () => {
    const empty = { round: [], tokens: [], lossNats: [] };
    const { page, complaints } = await open(
      aSnapshot({
        round: 0,
        settled: null,
        loss: { trainingNats: null, validationNats: null, validationFirstNats: null },
        training: empty,
        validation: empty,
        rounds: [],
        contributions: [],
        mesh: { peers: [], citations: [] },
        phases: [],
        ranking: [],
      }),
    );
    const main = await text(page, "main");
    for (const words of [
      "The curve begins",
      "No round has begun",
      "Nobody else is here",
      "Nobody has published",
      "have not settled",
    ])
      expect(main).toContain(words);
    expect(complaints).toEqual([]);
  });

  test("what peers say is text and never markup", async () => {
    const evil = `<img src=x onerror="document.title='owned'">`;
    const { page, complaints } = await open(
      aSnapshot({
        node: { ...aSnapshot().node, runName: evil },
        contributions: [aContribution({ id: "c", author: evil, round: 1, fate: "excluded", why: evil })],
      }),
    );
    expect(await text(page, "#run-name")).toBe(evil);
    expect(await page.locator("main img").count()).toBe(0);
    expect(await page.title()).not.toBe("owned");
    expect(complaints).toEqual([]);
  });

  test("asks nobody but its own node", async () => {
    const { page, hosts, dashboard } = await open();
    await page.locator("#theme").click();
    expect([...hosts]).toEqual([new URL(dashboard.url() ?? "").host]);
  });
});

describe("N3 live", () => {
  test("a change of the node is seen without reloading, and focus stays where it is", async () => {
    const { page, source } = await open();
    await page.evaluate(() => Object.assign(window, { sameDocument: true }));
    await page.locator("#rounds .round").last().focus();
    const rounds = [
      ...aSnapshot().rounds,
      { ...(aSnapshot().rounds[1] as Snapshot["rounds"][number]), round: 13 },
    ];
    const newer = aContribution({ id: "c4", author: peerNamed("Ada111"), round: 13, fate: "arriving" });
    source.set(aSnapshot({ round: 13, rounds, contributions: [newer, ...aSnapshot().contributions] }));
    await page.waitForFunction(() => document.title.endsWith("round 13"));
    expect(await page.locator("#contributions tr").count()).toBe(4);
    expect(await page.locator("#rounds .round").count()).toBe(3);
    expect(await page.evaluate(() => document.activeElement?.getAttribute("data-key"))).toBe("12");
    expect(await page.evaluate(() => "sameDocument" in window)).toBe(true);
  });

  test("says when the node is gone, keeps what it showed, and goes on when the node is back", async () => {
    const { page, dashboard } = await open();
    expect(await text(page, "#link")).toBe("live");
    const { port } = new URL(dashboard.url() ?? "");
    await dashboard.stop();
    await page.waitForSelector("#link[data-link=lost]");
    expect(await page.locator("main").getAttribute("class")).toBe("stale");
    expect(await text(page, "#figures")).toContain("2.500");
    await serve(new ChangingSource(aSnapshot({ round: 99 })), Number(port));
    await page.waitForSelector("#link[data-link=live]");
    await page.waitForFunction(() => document.title.endsWith("round 99"));
    expect(await page.locator("main").getAttribute("class")).toBe("");
  });

  test("goes on after an answer that was no stream", async () => {
    const { page, source, dashboard } = await open();
    const { port } = new URL(dashboard.url() ?? "");
    // 16 others take all the places while the node is away, so the page is refused at first.
    await dashboard.stop();
    await page.waitForSelector("#link[data-link=lost]");
    const again = await serve(source, Number(port));
    const gone = new AbortController();
    const others = Array.from({ length: 16 }, () =>
      fetch(new URL("/api/events", again.url() ?? ""), { signal: gone.signal }),
    );
    await Promise.all(others);
    gone.abort();
    await page.waitForSelector("#link[data-link=live]");
  });
});

describe("N3 keyboard and screens", () => {
  test("all that can be used is reached with Tab, in reading order", async () => {
    const { page } = await open();
    const reached: string[] = [];
    for (let i = 0; i < 20; i++) {
      await page.keyboard.press("Tab");
      const where = await page.evaluate(() => {
        const active = document.activeElement;
        const named = active?.closest("[id]");
        return active === document.body ? "end" : (named?.id ?? active?.className ?? "");
      });
      if (where === "end") break;
      reached.push(where);
    }
    const expected = [
      "skip",
      "theme",
      "loss-chart",
      "rounds",
      "mesh",
      "only-own",
      "contributions-box",
      "ranking-box",
    ];
    expect(reached).toEqual(expected);
  });

  test("arrow keys move along the curve, the rounds and the peers, and the words follow", async () => {
    const { page } = await open();
    await page.locator("#loss-chart").focus();
    await page.keyboard.press("Home");
    await page.waitForFunction(() =>
      document.getElementById("loss-readout")?.textContent?.startsWith("at 0 tokens"),
    );
    await page.keyboard.press("ArrowRight");
    await page.waitForFunction(() =>
      document.getElementById("loss-readout")?.textContent?.startsWith("at 1.0 k tokens"),
    );

    await page.locator("#rounds .round[tabindex='0']").focus();
    await page.keyboard.press("ArrowLeft");
    expect(await text(page, "#rounds-readout")).toMatch(/^Round 11: 5\.0 s/);

    await page.locator("#mesh [tabindex='0']").focus();
    expect(await text(page, "#mesh-readout")).toMatch(/^…Ada111: neighbour, dialled us, ping 12 ms/);
    await page.keyboard.press("ArrowRight");
    expect(await text(page, "#mesh-readout")).toMatch(/^…Bob111: not connected to us/);
  });

  test("the box shows only this node's contributions", async () => {
    const { page } = await open();
    await page.locator("#only-own").focus();
    await page.keyboard.press("Space");
    expect(await page.locator("#contributions tr").allInnerTexts()).toEqual([
      expect.stringContaining("this node"),
    ]);
  });

  test.each([
    ["a phone", PHONE],
    ["a desktop", DESKTOP],
  ])("nothing is wider than the screen of %s", async (_, options) => {
    const { page } = await open(aSnapshot(), options);
    const excess = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(excess).toBeLessThanOrEqual(0);
    expect(await isPainted(page, "#loss-chart")).toBe(true);
  });

  test("colours follow the system, or the button, which is remembered", async () => {
    const { page } = await open(aSnapshot(), { ...DESKTOP, colorScheme: "dark" });
    const ground = (): Promise<string> =>
      page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    expect(await ground()).toBe("rgb(14, 20, 19)");
    await page.locator("#theme").press("Enter");
    expect(await ground()).toBe("rgb(246, 247, 247)");
    await page.reload();
    await page.waitForSelector("main[aria-busy=false]");
    expect(await ground()).toBe("rgb(246, 247, 247)");
    expect(await page.locator("#theme").getAttribute("aria-label")).toBe("Colours: light");
  });
});
