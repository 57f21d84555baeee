/** T8 to T10 as people type them: real processes, real files. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const MAIN = fileURLToPath(new URL("../../../src/cli/main.ts", import.meta.url));

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "starling-models-"));
  const sentence = "the flock turns as one, and none of them leads it; ";
  await writeFile(join(dir, "book.txt"), `${sentence.repeat(600)}\n`);
});
afterAll(() => rm(dir, { recursive: true, force: true }));

async function starling(...args: string[]): Promise<{ stdout: string; stderr: string }> {
  return promisify(execFile)(process.execPath, [MAIN, ...args], { cwd: dir });
}

test("T8 T10 a tokenizer and a model are trained on one machine, the model writes and is measured", async () => {
  await starling("tokenizer", "train", "--text", "book.txt", "--vocabulary", "300");
  const train = ["train", "--preset", "tiny", "--text", "book.txt", "--steps", "60", "--threads", "1"];
  const { stderr } = await starling(...train, "--tokenizer", "tokenizer.json", "--out", "model");
  expect(stderr).toMatch(/^60 steps in .* s; validation loss 5\.\d+ -> [0-4]\.\d+ nats per token\n$/);
  expect((await readdir(join(dir, "model"))).toSorted()).toEqual([
    "README.md",
    "config.json",
    "generation_config.json",
    "model.safetensors",
    "remainder.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
  ]);
  expect(await readFile(join(dir, "model", "tokenizer.json"))).toEqual(
    await readFile(join(dir, "tokenizer.json")),
  );

  const generate = [
    "generate",
    "--model",
    "model",
    "--prompt",
    "the flock",
    "--tokens",
    "8",
    "--temperature",
    "0",
  ];
  const { stdout } = await starling(...generate, "--seed", "1");
  expect(stdout).toMatch(/^the flock.+\n$/);
  expect((await starling(...generate, "--seed", "2")).stdout).toBe(stdout);

  const found = JSON.parse(
    (await starling("eval", "--model", "model", "--text", "book.txt", "--json")).stdout,
  ) as Record<"natsPerToken" | "bitsPerByte" | "bytes" | "tokens", number>;
  expect(found.bytes).toBe((await readFile(join(dir, "book.txt"))).length);
  expect(found.natsPerToken).toBeLessThan(4);
  expect(found.bitsPerByte).toBeCloseTo((found.natsPerToken * found.tokens) / found.bytes / Math.LN2, 9);

  // It goes on from there: the first loss is the last one, not that of a new model.
  const more = await starling(...train, "--from", "model", "--out", "further");
  const [, first] = /validation loss (\S+) ->/.exec(more.stderr) ?? [];
  const [, last] = /-> (\S+) nats/.exec(stderr) ?? [];
  expect(Math.abs(Number(first) - Number(last))).toBeLessThan(0.01);
});

test.each([
  [["generate", "--data", "."], /expected a node that runs on .*--model/],
  [
    ["generate", "--model", "nothing"],
    /expected a folder with config\.json and model\.safetensors at nothing/,
  ],
  [["eval", "--model", "nothing", "--text", "book.txt"], /expected a folder with config\.json/],
  [["train", "--preset", "tiny", "--text", "nothing", "--out", "x"], /nothing/],
  [["tokenizer", "train", "--text", "book.txt", "--vocabulary", "256"], /whole number from 257/],
  [["init", "--preset", "tiny"], /--text <path>.*--record/],
])("T10 what cannot be done says what to do: starling %j", async (args, message) => {
  await expect(starling(...args)).rejects.toMatchObject({ stderr: expect.stringMatching(message) as string });
});
