/** N6: what README.md and docs/embedding.md show of the library is type-checked and run, as npm would install it. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Installed, installPackage } from "./install.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const run = promisify(execFile);

let installed: Installed;
beforeAll(async () => {
  installed = await installPackage();
});
afterAll(() => installed.remove());

/** The fenced TypeScript of a page. */
function examplesIn(page: string): string[] {
  const text = readFileSync(join(ROOT, page), "utf8");
  return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map((match) => match[1] ?? "");
}

/** A folder of its own below the one that the package is installed in. */
async function folderWith(name: string, code: string): Promise<string> {
  const dir = join(installed.dir, name);
  await mkdir(dir);
  await writeFile(join(dir, "package.json"), '{ "private": true, "type": "module" }\n');
  await writeFile(join(dir, "example.ts"), code);
  return dir;
}

async function runExample(dir: string): Promise<string> {
  const { stdout } = await run(process.execPath, ["example.ts"], { cwd: dir, timeout: 240_000 });
  return stdout;
}

/** What the types must refuse: a directive that nothing is wrong below is an error itself. */
const WRONG = `
import { type Manifest, createNode } from "starling-node";
declare const run: Manifest;
const node = await createNode({ dataDir: "x", run });
// @ts-expect-error: a round is a number
node.events.on("round", ({ round }) => round.toUpperCase());
// @ts-expect-error: there is no such event
node.events.on("rounds", () => undefined);
// @ts-expect-error: a folder is needed
await createNode({ run });
`;

describe("N6 the library", () => {
  test("N6 every example is right by the types that the package brings", async () => {
    const files = await Promise.all(
      [...examplesIn("README.md"), ...examplesIn("docs/embedding.md"), WRONG].map(
        async (code, i) => (await folderWith(`typed-${i}`, code), `typed-${i}/example.ts`),
      ),
    );
    expect(files.length).toBeGreaterThan(4);
    const options = {
      target: "es2024",
      lib: ["es2024", "esnext.disposable"],
      module: "nodenext",
      types: ["node"],
      typeRoots: [join(ROOT, "node_modules/@types")],
      strict: true,
      noEmit: true,
      // libp2p's own declarations are not ours to check.
      skipLibCheck: true,
    };
    await writeFile(
      join(installed.dir, "tsconfig.json"),
      JSON.stringify({ compilerOptions: options, files }),
    );
    const path = [join(ROOT, "node_modules/.bin"), dirname(process.execPath), process.env["PATH"]].join(
      delimiter,
    );
    await run("tsc", ["-p", "."], { cwd: installed.dir, env: { ...process.env, PATH: path } }).catch(
      (error: { stdout: string }) => expect.fail(error.stdout),
    );
  });

  test("N6 docs/embedding.md's run trains, tells of its rounds and hands out its weights", async () => {
    const [code = ""] = examplesIn("docs/embedding.md");
    const printed = await runExample(await folderWith("alone", code));
    expect(printed).toMatch(/\{ round: 0, steps: \d+, lossLastNats: \d/);
    expect(printed).toMatch(/^\d+ \[ 256, \d+ \]$/m);
  });

  test("N6 README's example trains a run that starling init made", async () => {
    const [code = ""] = examplesIn("README.md");
    const dir = await folderWith("readme", code);
    await writeFile(join(dir, "text.txt"), "Call me Ishmael. ".repeat(3000));
    const made = ["init", "--preset", "tiny", "--text", "text.txt", "--rounds", "1", "--data", "my-node"];
    await run(join(installed.dir, "node_modules/.bin/starling"), made, { cwd: dir });
    const printed = await runExample(dir);
    expect(printed).toMatch(/^round 0: \d+\.\d+ nats$/m);
    expect(printed).toMatch(/^\d+ tensors, loss \d+\.\d+$/m);
  });

  test("N6 nodes for tests come with the package", async () => {
    const code = examplesIn("docs/embedding.md").find((each) => each.includes("starling-node/testing"));
    expect(await runExample(await folderWith("testing", code ?? ""))).toBe("equal\n");
  });
});
