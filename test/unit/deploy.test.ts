/** N4: what operators are given names what the program has: metrics, options, files. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { NODE_ARGS } from "../../scripts/testnet/command.ts";
import { createProgram } from "../../src/cli/program.ts";
import { createMetrics } from "../../src/dashboard/index.ts";
import { createServingMetrics } from "../../src/serving/index.ts";
import { aSnapshot } from "../support/snapshot.ts";

const DEPLOY = fileURLToPath(new URL("../../deploy/", import.meta.url));
const read = (path: string): string => readFileSync(join(DEPLOY, path), "utf8");

async function servingMetricsText(): Promise<string> {
  const metrics = createServingMetrics({
    usage: { all: () => ({ ann: { requests: 1, promptTokens: 2, completionTokens: 3 } }) },
    turns: { writing: 0, waiting: 0 },
    writer: { model: () => undefined },
  });
  metrics.countAnswer("/v1/completions", 200);
  return metrics.text();
}

async function metricNames(): Promise<Set<string>> {
  const metrics = createMetrics();
  metrics.observeStage("training", 1);
  const text = (await metrics.text(aSnapshot())) + (await servingMetricsText());
  return new Set([...text.matchAll(/^(\w+)(?:\{| )/gm)].map((match) => match[1] ?? ""));
}

/** Of our own and the process': others (`up`) are Prometheus'. */
function namesIn(expr: string): string[] {
  return [...expr.matchAll(/\b(?:starling|process|nodejs|libp2p)_\w+/g)].map((match) => match[0]);
}

const startOptions = (): Set<string> => {
  const start = createProgram().commands.find((command) => command.name() === "start");
  return new Set(
    start?.options.map((option) => option.attributeName().replace(/[A-Z]/g, "-$&").toLowerCase()),
  );
};

describe("S5 V8's heap", () => {
  test("is kept as small however a node is started", () => {
    const args = NODE_ARGS.join(" ");
    expect(read("../bin/starling.js").split("\n")[0]).toBe(`#!/usr/bin/env -S node ${args}`);
    const { scripts } = JSON.parse(read("../package.json")) as { scripts: Record<string, string> };
    expect(scripts["starling"]).toBe(`node ${args} src/cli/main.ts`);
    const entry = /^ENTRYPOINT (.+)$/m.exec(read("docker/Dockerfile"))?.[1] ?? "[]";
    expect(JSON.parse(entry)).toEqual(["node", ...NODE_ARGS, "bin/starling.js"]);
  });
});

describe("N4 deploy/", () => {
  test("every alert has a known metric, a severity and words", async () => {
    const known = await metricNames();
    const { groups } = parse(read("prometheus/alerts.yaml")) as {
      groups: { rules: { alert: string; expr: string; labels: object; annotations: object }[] }[];
    };
    const rules = groups.flatMap((group) => group.rules);
    expect(rules.length).toBeGreaterThan(5);
    for (const { alert, expr, labels, annotations } of rules) {
      for (const name of namesIn(expr)) expect([...known], alert).toContain(name);
      expect(labels, alert).toHaveProperty("severity");
      expect(annotations, alert).toMatchObject({
        summary: expect.any(String),
        description: expect.any(String),
      });
    }
  });

  test("every panel of the Grafana dashboard shows a known metric, and no two overlap", async () => {
    const known = await metricNames();
    const { panels } = JSON.parse(read("grafana/starling.json")) as {
      panels: {
        title: string;
        gridPos: Record<"x" | "y" | "w" | "h", number>;
        targets: { expr: string }[];
      }[];
    };
    const taken = new Set<string>();
    for (const { title, gridPos, targets } of panels) {
      const names = targets.flatMap(({ expr }) => namesIn(expr));
      expect(names.length, title).toBeGreaterThan(0);
      for (const name of names) expect([...known], title).toContain(name);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken.has(`${x} ${y}`), title).toBe(false);
          taken.add(`${x} ${y}`);
        }
    }
  });

  test("the container files set options that exist and copy files that exist", () => {
    const dockerfile = read("docker/Dockerfile");
    const compose = read("docker/compose.yaml");
    const options = startOptions();
    const set = [...`${dockerfile}\n${compose}`.matchAll(/^ *(?:ENV [^\n]*)?STARLING_(\w+)[=:]/gm)];
    expect(set.length).toBeGreaterThan(5);
    for (const [, name = ""] of set) expect([...options]).toContain(name.toLowerCase().replaceAll("_", "-"));
    const root = join(DEPLOY, "..");
    for (const [, from = ""] of dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm))
      for (const path of from.split(" ")) expect(existsSync(join(root, path)), path).toBe(true);
    // Root inside, or a shell that eats signals, would be a fault.
    expect(dockerfile).toMatch(/^USER node$/m);
    expect(dockerfile).toMatch(/^ENTRYPOINT \["node", /m);
    expect(dockerfile).toMatch(/^HEALTHCHECK /m);
    const { services } = parse(compose) as { services: Record<string, { volumes?: string[] }> };
    for (const { volumes = [] } of Object.values(services))
      for (const volume of volumes.filter((each) => each.startsWith("."))) {
        const path = resolve(join(DEPLOY, "docker"), volume.split(":")[0] ?? "");
        expect(existsSync(path), path).toBe(true);
        expect(dirname(path).startsWith(resolve(DEPLOY)), path).toBe(true);
      }
  });

  test("the systemd unit starts with options that exist", () => {
    const line = /^ExecStart=.*$/m.exec(read("systemd/starling.service"))?.[0] ?? "";
    const flags = [...line.matchAll(/--([a-z-]+)/g)].map((match) => match[1]);
    expect(flags.length).toBeGreaterThan(0);
    for (const flag of flags) expect([...startOptions()]).toContain(flag);
  });
});
