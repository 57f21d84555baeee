/** N1: `starling init` asks what a person can answer, and says in plain words what the run costs. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type InitAnswers, askInit } from "../../../src/cli/ask-init.ts";
import { describeRun } from "../../../src/cli/describe-run.ts";
import { silentLog } from "../../../src/core/index.ts";
import { costsOf } from "../../../src/node/run/costs.ts";
import { initRun } from "../../../src/node/index.ts";

const ENTER = "\r";
const DOWN = "\u001b[B";
const CTRL_C = "\u0003";

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "init-"));
  await writeFile(join(dir, "book.txt"), "Call me Ishmael. ".repeat(300));
});
afterAll(async () => rm(dir, { recursive: true, force: true }));

/** A person who waits for each question and then types. */
async function answers(
  given: Parameters<typeof askInit>[0],
  typed: readonly (readonly [question: RegExp, keys: string])[],
): Promise<{ answers: InitAnswers; shown: string }> {
  const input = new PassThrough();
  const output = new PassThrough();
  let shown = "";
  let seen = 0;
  const left = [...typed];
  output.on("data", (chunk) => {
    shown += stripVTControlCharacters(String(chunk));
    const [next] = left;
    const match = next?.[0].exec(shown.slice(seen));
    if (next === undefined || match === null || match === undefined) return;
    left.shift();
    seen = shown.length;
    // After the question has begun to listen.
    setImmediate(() => input.write(next[1]));
  });
  const asked = await askInit(given, { input, output });
  expect(left, shown).toEqual([]);
  return { answers: asked, shown };
}

test("N1: it asks for size, text, nodes and whether it is closed, and asks again for a text that is not there", async () => {
  const { answers: given, shown } = await answers({ hasData: false, private: false }, [
    [/How large/, `${DOWN}${ENTER}`],
    [/What shall it learn/, `${join(dir, "none")}${ENTER}`],
    [/there is nothing at[\s\S]*What shall it learn/, `${join(dir, "book.txt")}${ENTER}`],
    [/How many nodes/, ENTER],
    [/Closed to everybody/, ENTER],
  ]);
  expect(given).toEqual({ preset: "tiny", text: join(dir, "book.txt"), startPeers: 1, private: false });
  expect(shown).toMatch(/994 k parameters, up to \d+ MB of memory a node/);
});

test("N1: what was given as an option is not asked", async () => {
  const given = { hasData: true, preset: "flight", text: "book.txt", startPeers: 3, private: true };
  const { answers: same, shown } = await answers(given, []);
  expect(same).toEqual({ preset: "flight", text: "book.txt", startPeers: 3, private: true });
  expect(shown).toBe("");
});

test("N1: Ctrl-C makes nothing", async () => {
  await expect(answers({ hasData: false, private: false }, [[/How large/, CTRL_C]])).rejects.toThrow(
    "cancelled",
  );
});

test("N1: a manifest in plain words says memory, traffic an hour and disk", async () => {
  const textPath = join(dir, "book.txt");
  const dataDir = join(dir, "data");
  const { manifest } = await initRun(
    { preset: "flight", textPath, startPeers: 2 },
    { dataDir, log: silentLog },
  );
  const words = describeRun(manifest);
  expect(words).toContain("begins when 2 nodes are there");
  expect(words).toMatch(/994 k parameters; up to \d+ MB of memory/);
  expect(words).toMatch(/of traffic a round, at least [\d.]+ [kMG]B an hour/);
  expect(words).toMatch(/of disk after all \d+ rounds/);
  // Four nodes, deltas of about half a megabyte: three in and three times out.
  const [costs] = costsOf(manifest, 4);
  expect(costs?.roundTrafficBytes).toBeGreaterThan(6 * 0.45e6);
  expect(costs?.roundTrafficBytes).toBeLessThan(6 * 0.6e6);
  expect(costsOf(manifest, 1)[0]?.roundTrafficBytes).toBe(0);
});
