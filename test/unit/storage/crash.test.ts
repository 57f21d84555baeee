import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { SeededRandom, digestOf, silentLog } from "../../../src/core/index.ts";
import { bodyCid, getBody, openStore } from "../../../src/storage/index.ts";
import { bodyOf, checkpointOf, headerOf, stateOf } from "./crash-content.ts";
import { collect, recordingLog, temporaryDir } from "./support.ts";

const KILLS_COUNT = 15;
const LINES_MAX = 14;
const KINDS = ["header", "body", "state", "checkpoint"] as const;
/** The rounds of each kind that the writer was told are on disk. */
type Said = Record<(typeof KINDS)[number], Set<number>>;

/** Starts a writer; resolves when it holds the folder. */
async function startWriter(
  dir: string,
  round: number,
): Promise<{ child: ChildProcess; lines: AsyncIterator<string> }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "crash-writer.ts"), dir, String(round)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  expect((await lines.next()).value).toBe("open");
  return { child, lines };
}

async function kill(child: ChildProcess): Promise<void> {
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  expect(await exited).toEqual([null, "SIGKILL"]);
}

test("F16: killed at any moment, a node has all that it was told is on disk, and nothing torn", async () => {
  const dir = await temporaryDir();
  const random = new SeededRandom("kill");
  const first = await openStore(dir, { log: silentLog });
  await first.close();
  const said = Object.fromEntries(KINDS.map((kind) => [kind, new Set()])) as Said;
  let leftovers = 0;

  for (let kills = 0; kills < KILLS_COUNT; kills += 1) {
    const round = 1 + Math.max(-1, ...KINDS.flatMap((kind) => [...said[kind]]));
    const { child, lines } = await startWriter(dir, round);
    for (let left = random.below(LINES_MAX); left > 0; left -= 1)
      read(said, (await lines.next()).value as string);
    await kill(child);
    for (let next = await lines.next(); !next.done; next = await lines.next()) read(said, next.value);

    // The folder still says who held it, and is free all the same.
    expect(await readFile(join(dir, "lock"), "utf8")).toBe(`${child.pid}\n`);
    for (const tmp of ["tmp", "states/tmp", "checkpoints/tmp"])
      leftovers += (await readdir(join(dir, tmp)).catch(() => [])).length;
    await verify(dir, said, first.peerId);
  }
  // The kills did come in the middle of writing.
  expect(leftovers).toBeGreaterThan(0);
  for (const kind of KINDS) expect(said[kind].size).toBeGreaterThan(5);
});

function read(said: Said, line: string): void {
  const [kind, round] = line.split(" ") as [keyof Said, string];
  said[kind].add(Number(round));
}

async function verify(dir: string, said: Said, peerId: string): Promise<void> {
  const { log, warnings } = recordingLog();
  const store = await openStore(dir, { log });
  expect(store.peerId).toBe(peerId);

  for (const round of said.header)
    expect(await store.contributions.get(headerOf(round).id)).toEqual(headerOf(round).bytes);
  const possible = new Set(
    Array.from({ length: 2 + Math.max(-1, ...said.header) }, (_, round) => digestOf(headerOf(round).bytes)),
  );
  for (const bytes of await collect(store.contributions.all(0))) expect(possible).toContain(digestOf(bytes));

  for (const round of [...said.body].slice(-5)) {
    const body = await getBody(store.blocks, bodyCid(bodyOf(round)), bodyOf(round).length);
    expect(body && digestOf(body), `body ${round}`).toBe(digestOf(bodyOf(round)));
  }

  const states = await store.states.list();
  for (const name of states) expect(await store.states.load(name)).toEqual(stateOf(name.round));
  // Newer ones may be whole on disk before the writer could say so, and then the one it said last may be gone.
  expect(states[0]?.round ?? -1).toBeGreaterThanOrEqual([...said.state].at(-1) ?? -1);

  const checkpoint = await store.checkpoints.latest();
  if (checkpoint !== undefined) expect(checkpoint).toEqual(checkpointOf(checkpoint.meta.round));
  expect(checkpoint?.meta.round ?? -1).toBeGreaterThanOrEqual([...said.checkpoint].at(-1) ?? -1);

  // Not even a warning: nothing that looks finished was torn.
  expect(warnings).toEqual([]);
  await store.close();
}

test("F7: a second process is told which one holds the folder", async () => {
  const dir = await temporaryDir();
  const { child } = await startWriter(dir, 0);
  await expect(openStore(dir, { log: silentLog })).rejects.toMatchObject({
    code: "DATA_DIR_IN_USE",
    message: expect.stringMatching(
      new RegExp(`${dir} to be free, but process ${child.pid} uses it; stop that one`),
    ),
  });
  await kill(child);
  await (await openStore(dir, { log: silentLog })).close();
});
