import { PassThrough } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type WatchedNode,
  bytes,
  count,
  createLiveView,
  nats,
  renderLine,
  renderTable,
} from "../../../src/cli/index.ts";
import { seconds } from "../../../src/cli/format.ts";
import { aStatus } from "../../support/status.ts";

const ESCAPE = "\u001b";

const nodes: readonly WatchedNode[] = [
  { name: "node-1", alive: true, status: aStatus() },
  {
    name: "node-2",
    alive: true,
    status: aStatus({ state: "finished", lossNats: 2, contributionsIncluded: 10 }),
  },
  { name: "node-3", alive: true, status: null },
  { name: "node-4", alive: false, status: aStatus({ round: 40, lossNats: 99 }) },
];

describe("renderTable()", () => {
  test("shows round, losses, peers, included/published, bytes, speed and root of each node", () => {
    const rows = renderTable(nodes, { colour: false })
      .split("\n")
      .filter((line) => /[a-z]/.test(line))
      .map((line) =>
        line
          .split("│")
          .map((cell) => cell.trim())
          .slice(1, -1),
      );
    expect(rows).toEqual([
      ["node", "state", "round", "loss", "val. loss", "peers", "incl./publ.", "in", "out", "tok/s", "root"],
      ["node-1", "training", "12", "2.314", "2.500", "3", "11/12", "12 MB", "4.1 MB", "9.1 k", "1f3a77c0"],
      ["node-2", "finished", "12", "2.000", "2.500", "3", "10/12", "12 MB", "4.1 MB", "9.1 k", "1f3a77c0"],
      ["node-3", "starting", "–", "–", "–", "–", "–", "–", "–", "–", "–"],
      ["node-4", "dead", "40", "99.000", "2.500", "3", "11/12", "12 MB", "4.1 MB", "9.1 k", "1f3a77c0"],
    ]);
  });

  test("colour changes nothing but colour, and without it there is no escape sequence", () => {
    const plain = renderTable(nodes, { colour: false });
    const coloured = renderTable(nodes, { colour: true });
    expect(plain).not.toContain(ESCAPE);
    expect(coloured).toContain(`${ESCAPE}[31mdead`);
    expect(coloured).toContain(`${ESCAPE}[32mfinished`);
    expect(stripVTControlCharacters(coloured)).toBe(plain);
  });

  test("fits a terminal of 120 columns", () => {
    const widths = renderTable(nodes, { colour: false })
      .split("\n")
      .map((line) => line.length);
    expect(Math.max(...widths)).toBeLessThanOrEqual(120);
  });
});

describe("P7 of a run with a ladder", () => {
  const at = (phase: number, rank: number | null, seats: number | null): WatchedNode => ({
    name: `node-${phase}`,
    alive: true,
    status: aStatus({
      phase,
      tokensTotal: 450,
      round: 20 - phase,
      settled: null,
      ladder: { phasesCount: 7, tokensBudget: 1000, rank, seats, leftBehindWhy: null },
    }),
  });
  const climbers = [at(3, 2, 3), at(2, 4, 3), at(6, null, null)];

  test("the table shows phase, progress to the next, rank and seats", () => {
    const rows = renderTable(climbers, { colour: false }).split("\n");
    const cells = rows.map((row) => row.split("│").map((cell) => cell.trim()));
    expect(cells.map((row) => row.slice(3, 5)).filter(([phase]) => phase !== undefined)).toEqual([
      ["phase", "rank"],
      ["3 45 %", "2/3"],
      ["2 45 %", "4/3"],
      ["6 45 %", "–"],
    ]);
    expect(Math.max(...rows.map(({ length }) => length))).toBeLessThanOrEqual(120);
  });

  test("a line is of the highest phase, and a lower round of a later phase is news", () => {
    expect(renderLine(climbers)).toMatch(/^phase 6 45 % {2}round {2}14 {2}loss/);
    const { stream, text } = aStream(false);
    const view = createLiveView(stream, {});
    for (const node of [at(2, 1, 3), at(3, 1, 3), at(2, 1, 3), at(3, 1, 3)]) view.show([node]);
    view.close();
    expect(text().match(/round +\d+/g)).toEqual(["round  18", "round  17"]);
  });
});

test("renderLine() sums up the living: mean losses, highest round, total work", () => {
  expect(renderLine(nodes)).toBe(
    "round  12  loss 2.157  val. loss 2.500  nodes 3  included 21/24  out 8.2 MB  tok/s 18 k  root 1f3a77c0 (4)",
  );
});

/** A stream that remembers, with or without a terminal behind it. */
function aStream(isTTY: boolean): { stream: NodeJS.WriteStream; text: () => string } {
  const pass = new PassThrough();
  const written: string[] = [];
  pass.on("data", (chunk: Buffer) => written.push(chunk.toString()));
  const stream = Object.assign(pass, { isTTY, columns: 120, rows: 40 }) as unknown as NodeJS.WriteStream;
  return { stream, text: () => written.join("") };
}

describe("createLiveView()", () => {
  const inRound = (round: number): WatchedNode[] => [
    { name: "node-1", alive: true, status: aStatus({ round }) },
  ];

  test("without a terminal: one plain line per round", () => {
    const { stream, text } = aStream(false);
    const view = createLiveView(stream, {});
    for (const round of [0, 0, 1, 1, 1, 0, 3]) view.show(inRound(round));
    view.note("killed node-1");
    view.close();
    const lines = text().split("\n");
    expect(lines.map((line) => line.slice(0, 9))).toEqual([
      "round   0",
      "round   1",
      "round   3",
      "killed no",
      "",
    ]);
    expect(text()).not.toContain(ESCAPE);
  });

  test("on a terminal: the table is redrawn in place and the last one stays", () => {
    const { stream, text } = aStream(true);
    const view = createLiveView(stream, {});
    view.show(nodes);
    const first = text();
    view.show(nodes.map((node) => ({ ...node, alive: true })));
    view.close();
    expect(first).toContain(`${ESCAPE}[31mdead`);
    expect(first).not.toContain(`${ESCAPE}[2K`);
    expect(text().slice(first.length)).toContain(`${ESCAPE}[`);
  });

  test.each([
    ["1", false],
    ["", true],
  ])("NO_COLOR=%j on a terminal: coloured is %j", (value, coloured) => {
    const { stream, text } = aStream(true);
    const view = createLiveView(stream, { NO_COLOR: value });
    view.show(nodes);
    view.close();
    expect(text().includes(`${ESCAPE}[31m`)).toBe(coloured);
    expect(text()).toContain("node-1");
  });
});

describe("numbers for people", () => {
  test.each([
    [0, "0 B"],
    [999, "999 B"],
    [999.6, "1.0 kB"],
    [1000, "1.0 kB"],
    [9949, "9.9 kB"],
    [9950, "10 kB"],
    [999_499, "999 kB"],
    [999_500, "1.0 MB"],
    [5e15, "5000 TB"],
  ])("bytes(%d) is %s", (value, text) => expect(bytes(value)).toBe(text));

  test("what is not known is a dash", () => {
    expect([nats(null), bytes(null), count(null)]).toEqual(["–", "–", "–"]);
  });

  test("count() is within 5 % of the value and short", () => {
    const powers: Record<string, number> = { "": 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12 };
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9e14 }), (value) => {
        const [digits, unit = ""] = count(value).split(" ") as [string, string?];
        expect(Math.abs(Number(digits) * (powers[unit] ?? NaN) - value)).toBeLessThanOrEqual(0.05 * value);
        expect(digits.length).toBeLessThanOrEqual(3);
      }),
    );
  });

  test.each([
    [8.123, "8.1 s"],
    [59.94, "59.9 s"],
    [60, "1 min 00 s"],
    [185.4, "3 min 05 s"],
  ])("seconds(%d) is %s", (value, text) => expect(seconds(value)).toBe(text));
});
