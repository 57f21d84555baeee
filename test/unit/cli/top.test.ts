/** N4: `starling top` over dashboards. */
import { afterEach, expect, test } from "vitest";
import { top } from "../../../src/cli/commands/top.ts";
import { silentLog, systemClock } from "../../../src/core/index.ts";
import { type Dashboard, createDashboard, createMetrics } from "../../../src/dashboard/index.ts";
import { ChangingSource, aSnapshot } from "../../support/snapshot.ts";

const dashboards: Dashboard[] = [];
afterEach(async () => {
  for (const dashboard of dashboards.splice(0)) await dashboard.stop();
});

async function serve(round: number): Promise<string> {
  const source = new ChangingSource(aSnapshot({ round }));
  const dashboard = createDashboard(
    { host: "127.0.0.1", port: 0, otherPort: false, names: [] },
    { source, metrics: createMetrics(), clock: systemClock, log: silentLog },
  );
  await dashboard.start();
  dashboards.push(dashboard);
  return dashboard.url() ?? "";
}

async function printed(places: readonly string[]): Promise<string> {
  const lines: string[] = [];
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = (text) => lines.push(String(text)) > 0;
  try {
    await top(places, { data: "none", interval: 1, once: true });
  } finally {
    process.stdout.write = write;
  }
  return lines.join("");
}

test("N4 top sums up many nodes, and counts only those that answer", async () => {
  const [one, other] = [await serve(12), await serve(13)];
  const gone = await serve(99);
  await dashboards.pop()?.stop();
  const line = await printed([one, other, gone]);
  expect(line).toMatch(
    /^phase 0 75 % {2}round {2}13 {2}loss 2\.314 {2}val\. loss 2\.500 {2}nodes 2 {2}included 22\/24 /,
  );
  expect(line).toContain("tok/s 18 k");
  expect(line).toContain("root 1f3a77c0 (4)");
});

test("N4 an address that is no node's is an error that names it", async () => {
  const url = await serve(1);
  await expect(printed([`${url}none/`])).rejects.toMatchObject({
    code: "TOP_NO_NODE",
    message: expect.stringContaining(`${url}none/`) as string,
  });
});

test("N7 a look at a folder where nothing runs is an error that names it", async () => {
  await expect(printed(["nowhere"])).rejects.toMatchObject({
    code: "NOT_RUNNING",
    message: expect.stringContaining("nowhere") as string,
  });
});

test("N4 more nodes than a screen has lines are refused", async () => {
  await expect(printed(Array(257).fill("x"))).rejects.toMatchObject({ code: "TOP_TOO_MANY" });
});
