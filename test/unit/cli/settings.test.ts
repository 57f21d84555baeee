/** N4: one order for settings: command line, environment, file, default; and --dry-run shows it. */
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command, Option } from "commander";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { byteCount, hours, listenAddress, multiaddrs } from "../../../src/cli/arguments.ts";
import { createProgram } from "../../../src/cli/program.ts";
import { applySettings } from "../../../src/cli/settings.ts";

let dir: string;
let config: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "settings-"));
  config = join(dir, "starling.yaml");
});
afterEach(async () => rm(dir, { recursive: true, force: true }));

/** What a command gets: its options, and where each comes from. */
async function read(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ values: Record<string, unknown>; sourceOf: (name: string) => string | undefined }> {
  const command = new Command("fly")
    .option("--config <file>")
    .option("--listen <address>", "", multiaddrs, [])
    .option("--monthly-traffic <bytes>", "", byteCount)
    .option("--hours <hours>", "", hours)
    .option("--no-dht", "")
    .option("--local", "", false)
    .addOption(new Option("--dashboard [address]").default(true).argParser(listenAddress))
    .option("--no-dashboard")
    .addOption(new Option("--log-level <level>").choices(["info", "warn"]).default("info"));
  await applySettings(command, args, env);
  command.parse(args, { from: "user" });
  return { values: command.opts(), sourceOf: (name) => command.getOptionValueSource(name) };
}

describe("N4 settings", () => {
  test("the command line wins over the environment, that over the file, that over the default", async () => {
    await writeFile(config, "log-level: warn\nmonthly-traffic: 1GB\nhours: 22-7\ndht: false\n");
    const env = { STARLING_CONFIG: config, STARLING_MONTHLY_TRAFFIC: "2GB", STARLING_HOURS: "1-2" };
    const { values, sourceOf } = await read(["--hours", "3-4"], env);
    expect(values).toMatchObject({
      hours: { from: 3, until: 4 },
      monthlyTraffic: 2e9,
      logLevel: "warn",
      dht: false,
      local: false,
    });
    const sources = ["hours", "monthlyTraffic", "logLevel", "local"].map(sourceOf);
    expect(sources).toEqual(["cli", "env", "config", "default"]);
  });

  test("--config wins over STARLING_CONFIG", async () => {
    await writeFile(config, "local: true\n");
    const { values } = await read([`--config=${config}`], { STARLING_CONFIG: join(dir, "none.yaml") });
    expect(values["local"]).toBe(true);
  });

  test("a list replaces a list: of the file, of the environment, of the command line", async () => {
    const [a, b, c] = ["/ip4/10.0.0.1/tcp/1", "/ip4/10.0.0.2/tcp/2", "/ip4/10.0.0.3/tcp/3"];
    await writeFile(config, `listen:\n  - ${a}\n  - ${b}\n`);
    expect((await read(["--config", config])).values["listen"]).toEqual([a, b]);
    const env = { STARLING_LISTEN: `${b},${c}` };
    expect((await read(["--config", config], env)).values["listen"]).toEqual([b, c]);
    expect((await read(["--config", config, "--listen", c], env)).values["listen"]).toEqual([c]);
  });

  test("what can be a flag or a value is either", async () => {
    const dashboard = async (value: string): Promise<unknown> =>
      (await read([], { STARLING_DASHBOARD: value })).values["dashboard"];
    expect(await dashboard("0")).toBe(false);
    expect(await dashboard("true")).toBe(true);
    expect(await dashboard("0.0.0.0:9000")).toEqual({ host: "0.0.0.0", port: 9000 });
    await writeFile(config, "dashboard: 9000\n");
    expect((await read(["--config", config])).values["dashboard"]).toEqual({ host: "127.0.0.1", port: 9000 });
    expect((await read(["--config", config, "--no-dashboard"])).values["dashboard"]).toBe(false);
  });

  test.each([
    ["an unknown key", "log-levl: warn", /expected one of .*log-level.*, got log-levl/],
    ["a refused value", "hours: 25-7", /hours: Expected hours of the day/],
    ["no flag", "local: maybe", /local: expected true or false, got "maybe"/],
    ["a wrong choice", "log-level: loud", /log-level: Allowed choices are info, warn/],
    ["a list where one value is due", "log-level: [info, warn]", /log-level: /],
    ["a map where text is due", "hours: {from: 1}", /hours: Expected text or a number/],
    ["no settings", "- warn", /expected lines such as "log-level: warn"/],
    ["no YAML", "a: [", /expected settings as YAML/],
  ])("%s is a usage error that names the file", async (_, text, message) => {
    await writeFile(config, text);
    const failed = read(["--config", config]);
    await expect(failed).rejects.toThrow(message);
    await expect(failed).rejects.toMatchObject({ name: "UsageError" });
    await expect(failed).rejects.toThrow(config);
  });

  test("an empty file sets nothing; a missing one is an error", async () => {
    await writeFile(config, "# nothing yet\n");
    expect((await read(["--config", config])).values["logLevel"]).toBe("info");
    await expect(read(["--config", join(dir, "none.yaml")])).rejects.toThrow(/none\.yaml/);
  });

  test("N4 every option of every command can be named in the environment without meeting another", () => {
    for (const command of createProgram().commands) {
      const attributes = command.options.map((option) => option.attributeName());
      // `--dashboard` and `--no-dashboard` are one setting.
      const names = new Set(attributes.map((name) => name.toUpperCase()));
      expect(names.size, command.name()).toBe(new Set(attributes).size);
    }
  });

  test("N4 --dry-run prints settings and sources, and makes nothing", async () => {
    const lines: string[] = [];
    const write = process.stdout.write.bind(process.stdout);
    process.stdout.write = (text) => lines.push(String(text)) > 0;
    const manifest = "bafyreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";
    try {
      const data = join(dir, "data");
      await createProgram().parseAsync(["start", "--run", manifest, "--data", data, "--dry-run"], {
        from: "user",
      });
    } finally {
      process.stdout.write = write;
    }
    expect(lines.join("")).toMatch(/^run +bafyrei\w+ +command line$/m);
    expect(lines.join("")).toMatch(/^logLevel +info +default$/m);
    expect(lines.join("")).toContain("nothing was changed");
    expect(await readdir(dir)).toEqual([]);
  });
});
