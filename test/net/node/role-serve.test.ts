/** N1: a node that trains nothing keeps a run alive: who comes when all others have gone gets everything from it. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DEADLINE_MS, Flock, until } from "../../support/nodes.ts";

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "role-"));
  await writeFile(join(dir, "text.txt"), "Call me Ishmael. ".repeat(3000));
});
afterAll(async () => rm(dir, { recursive: true, force: true }));

test(
  "N1: with --role serve a node holds manifest, data, headers and deltas of a run, and gives them on",
  { timeout: 2 * DEADLINE_MS },
  async () => {
    await using flock = await Flock.create({ textPath: join(dir, "text.txt"), startPeers: 1, rounds: 4 });
    const trainer = await flock.start(0);
    const server = await flock.start(1, { role: "serve" });
    await until(trainer, ({ state }) => state === "finished", "the end of the run");
    const { contributionsPublished, round, settled } = trainer.status();
    const all = contributionsPublished;
    const held = await until(
      server,
      ({ holding }) => holding !== null && holding.missing === 0 && holding.contributions >= all,
      `${all} contributions held`,
    );
    expect(held).toMatchObject({ state: "serving", contributionsPublished: 0, trainingSeconds: 0 });
    expect(held.round).toBeGreaterThanOrEqual(round - 1);
    expect(server.credits.bind(server, 0)).toThrow(expect.objectContaining({ code: "NOT_READY" }));
    await trainer.stop();

    const late = await flock.start(2, { bootstrap: server.status().addresses });
    const { settled: same } = await until(late, ({ state }) => state === "finished", "the end of the run");
    expect(same).toEqual(settled);
    expect(late.status().contributionsPublished, "the run was over").toBe(0);

    // What it holds is on its disk.
    await server.stop();
    const again = await flock.start(1, { role: "serve", bootstrap: [] });
    await until(
      again,
      ({ holding }) => holding?.missing === 0 && holding.contributions >= all,
      "all held again",
    );
  },
);
