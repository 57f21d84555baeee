import { expect, test } from "vitest";
import { createProgram } from "../../../src/cli/program.ts";
import { describeRuns } from "../../../src/cli/describe-runs.ts";
import type { PeerId, RunId } from "../../../src/core/index.ts";

test.each(["start", "join"])("P7 %s can keep its run to those who are told of it", (name) => {
  const command = createProgram().commands.find((each) => each.name() === name);
  expect(command?.options.map(({ long }) => long)).toContain("--unlisted");
});

test("P7 a stranger's name of a run does nothing to the terminal", () => {
  const text = describeRuns([
    {
      run: "bafy" as RunId,
      name: "fine\u001b[2J\u202e\nname",
      phase: 2,
      phasesCount: 7,
      round: 5,
      parameters: 90_000,
      contributors: 3,
      memoryBytes: 220e6,
      roundTrafficBytes: 4.2e6,
      hourTrafficBytesMin: 9e6,
      peers: ["12D3KooWA" as PeerId],
      address: "starling1abc",
    },
  ]);
  // oxlint-disable-next-line no-control-regex
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
  expect(text).toContain("fine?[2J??name");
  expect(text).toContain("2 of 0 to 6");
  expect(text).toContain("starling join starling1abc");
});
