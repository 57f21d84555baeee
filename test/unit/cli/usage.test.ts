/** The command line as a person meets it: real processes, their exit codes and what they say. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const MAIN = fileURLToPath(new URL("../../../src/cli/main.ts", import.meta.url));

const ADDRESS = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "cli-"));
  await writeFile(join(dir, "not-json"), "whale");
  await writeFile(join(dir, "text.txt"), "Call me Ishmael.");
});

afterAll(async () => rm(dir, { recursive: true, force: true }));

function starling(...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args], { cwd: dir }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === "number" ? error.code : 0, stdout, stderr });
    });
  });
}

describe("F7, F16: wrong arguments end with 2 and say what was expected and what came", () => {
  test.concurrent.each([
    ["no command", [], ["Usage: starling", "starling init --preset flight"]],
    ["an unknown command", ["fly"], ["unknown command 'fly'", "--help"]],
    ["an unknown option", ["status", "--jsno"], ["unknown option '--jsno'", "--json"]],
    ["a missing option", ["start"], ["--run <file|cid>", "not specified", "--help"]],
    ["a stray argument", ["status", "now"], ["too many arguments", "--help"]],
    ["no number", ["start", "--run", "x", "--threads", "two"], ["'two'", "whole number from 1 to 1024"]],
    [
      "a number out of range",
      ["start", "--run", "x", "--threads", "0"],
      ["'0'", "whole number from 1 to 1024"],
    ],
    [
      "a fraction",
      ["init", "--preset", "tiny", "--text", "text.txt", "--rounds", "1.5"],
      ["'1.5'", "whole number"],
    ],
    [
      "a negative seed",
      ["init", "--preset", "tiny", "--text", "text.txt", "--seed", "-1"],
      ["'-1'", "whole number"],
    ],
    ["an unknown engine", ["start", "--run", "x", "--engine", "steam"], ["'steam'", "auto, cpu, webgpu"]],
    [
      "a host where a multiaddr belongs",
      ["start", "--run", "x", "--listen", "host:1"],
      ["'host:1'", "/ip4/"],
    ],
    [
      "one wrong address of two",
      ["start", "--run", "x", "--bootstrap", "/ip4/1.2.3.4/tcp/1,b"],
      ["multiaddr"],
    ],
    ["R8 no rounds", ["ledger", "--rounds", "9-5"], ["'9-5'", "rounds such as 5-9"]],
    ["R8 a round and rounds", ["ledger", "--round", "1", "--rounds", "1-2"], ["cannot be used with"]],
    ["an unknown log level", ["start", "--run", "x", "--log-level", "loud"], ["'loud'", "debug, info"]],
    [
      "neither file nor CID",
      ["start", "--run", "nope"],
      ["--run", "manifest file or a run's CID", "got nope"],
    ],
    [
      "an unknown preset",
      ["init", "--preset", "huge", "--text", "text.txt"],
      ["one of", "flight", "got huge"],
    ],
    ["payout without a word", ["payout"], ["Usage: starling payout", "set", "show"]],
    [
      "an address with a typing error",
      ["payout", "set", "0x5aaeb6053F3E94C9b9A09f33669435E7Ef1BeAed"],
      ["EIP-55", "0x5aaeb"],
    ],
    ["no address", ["payout", "set", "alice.eth"], ["40 hex digits", "got alice.eth"]],
    ["an author who is no peer", ["credits", "--author", "ada"], ["'ada'", "12D3KooW"]],
    ["a run of no text", ["init", "--preset", "tiny"], ["--text <path>", "the text to learn"]],
    [
      "a text that is not there",
      ["init", "--preset", "tiny", "--text", "none"],
      ["file or folder", "got none"],
    ],
  ])("%s", async (_, args, said) => {
    const { code, stdout, stderr } = await starling(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    for (const part of said) expect(stderr).toContain(part);
    expect(stderr).not.toContain("    at ");
  });
});

describe("F7, F16: what cannot be done ends with 1, a code, and no stack", () => {
  test.concurrent.each([
    ["status of no folder", ["status", "--data", "none"], "error DATA_DIR_MISSING: expected"],
    [
      "export of no folder",
      ["export", "--data", "none", "--out", "model"],
      "error DATA_DIR_MISSING: expected",
    ],
    ["R8 verify of no folder", ["verify", "--data", "none"], "error DATA_DIR_MISSING: expected"],
    ["R8 ledger of no folder", ["ledger", "--data", "none"], "error DATA_DIR_MISSING: expected"],
    ["R8 verify of a folder without a run", ["verify", "--data", "."], "error DATA_DIR_EMPTY: expected"],
    ["credits of no folder", ["credits", "--data", "none"], "error DATA_DIR_MISSING: expected"],
    ["payout of no folder", ["payout", "show", "--data", "none"], "error DATA_DIR_MISSING: expected"],
    [
      "payout of a folder that is no node's",
      ["payout", "set", ADDRESS, "--data", "."],
      "error DATA_DIR_EMPTY: expected",
    ],
    ["stop of nobody", ["stop", "--data", "none"], "error NOT_RUNNING: expected"],
    ["a manifest that is none", ["start", "--run", "not-json"], "error MANIFEST_UNREADABLE: expected"],
  ])("%s", async (_, args, said) => {
    const { code, stdout, stderr } = await starling(...args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(new RegExp(`^${said}`));
    expect(stderr).not.toContain("    at ");
    expect(existsSync(join(dir, "none"))).toBe(false);
  });
});

describe("help", () => {
  test.concurrent.each([
    [["--help"], "starling start --run run.json"],
    [["init", "--help"], "starling init --preset flight"],
    [["start", "--help"], "--bootstrap /ip4/192.0.2.7/tcp/4001/p2p/"],
    [["credits", "--help"], "bytes32 author"],
    [["payout", "set", "--help"], ADDRESS],
    [["status", "--help"], "jq .settled.root"],
    [["verify", "--help"], "2 nothing is false"],
    [["ledger", "--help"], "--rounds 5-9 --excluded"],
  ])("%j goes to stdout, ends with 0 and teaches by example", async (args, example) => {
    const { code, stdout, stderr } = await starling(...args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain(example);
  });

  test("--version is the package's", async () => {
    expect(await starling("--version")).toEqual({ code: 0, stdout: "0.1.0\n", stderr: "" });
  });
});

test("init prints the run's CID on stdout and writes its manifest", async () => {
  const args = ["--preset", "tiny", "--text", "long.txt", "--out", "run.json", "--data", "data"];
  await writeFile(join(dir, "long.txt"), "Call me Ishmael. ".repeat(2000));
  const { code, stdout, stderr } = await starling("init", ...args);
  expect({ code, stderr }).toMatchObject({
    code: 0,
    stderr: expect.stringContaining("wrote run.json") as string,
  });
  expect(stdout).toMatch(/^bafyrei[a-z2-7]{52}\n$/);
  expect(existsSync(join(dir, "run.json"))).toBe(true);
});

test("P1: init --plan prints a ladder, marks the rung beyond one node, and makes nothing", async () => {
  const { code, stdout, stderr } = await starling(
    "init",
    "--preset",
    "open-500m",
    "--plan",
    "--data",
    "unmade",
  );
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout.match(/in the manifest/g)).toHaveLength(2);
  expect(stdout.match(/a plan, too large for one node/g)).toHaveLength(5);
  expect(stdout).toMatch(/1\.4 T .*\n[^]*Phase 2 is where a single node stops being enough: \d{3} GB/);
  expect(existsSync(join(dir, "unmade"))).toBe(false);
});
