import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type LogLevel, createLog, lineForPeople } from "../../../src/node/pino-log.ts";

function linesAt(level: LogLevel): Record<string, unknown>[] {
  const lines: string[] = [];
  const log = createLog({ level, destination: { write: (line) => lines.push(line) } });
  log.debug("heartbeat");
  log.info("round", { round: 3, lossNats: 2.5 });
  log.child("gossip").warn("slow peer", { ms: 900 });
  log.error("disk is full");
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

test("each event is one line of JSON with its room, level, time and context", () => {
  const [round, slow] = linesAt("info");
  expect(round).toMatchObject({ msg: "round", round: 3, lossNats: 2.5, level: 30 });
  expect(slow).toMatchObject({ msg: "slow peer", room: "gossip", ms: 900, level: 40 });
  expect(new Date(round?.["time"] as string).toISOString()).toBe(round?.["time"]);
});

test.each([
  ["debug", 4],
  ["info", 3],
  ["warn", 2],
  ["error", 1],
  ["silent", 0],
] as const)("at level %s, %d of the four lines are written", (level, count) => {
  expect(linesAt(level)).toHaveLength(count);
});

test("a file is there at once, its folder too", async () => {
  const dir = await mkdtemp(join(tmpdir(), "log-"));
  const path = join(dir, "deep", "node.log");
  createLog({ level: "info", destination: path }).info("hello");
  expect(JSON.parse(await readFile(path, "utf8"))).toMatchObject({ msg: "hello" });
  await rm(dir, { recursive: true });
});

test("for people a line has clock, level, room, message and values", () => {
  const time = "2026-01-02T12:03:44.123Z";
  const line = { level: 40, time, room: "gossip", peer: "12D3", why: "too slow", bytes: 81, msg: "dropped" };
  expect(lineForPeople(JSON.stringify(line))).toBe(
    '12:03:44 warn  gossip: dropped  peer=12D3 why="too slow" bytes=81\n',
  );
  expect(lineForPeople(JSON.stringify({ level: 30, time, msg: "ready" }))).toBe("12:03:44 info  ready\n");
});
