import { expect, test } from "vitest";
import { describeStatus } from "../../../src/cli/describe.ts";
import { aStatus } from "../../support/status.ts";

test("describeStatus() says who, where, how far, how well and what it cost", () => {
  const { run, peerId, settled } = aStatus();
  expect(describeStatus(aStatus({ dashboardUrl: "http://127.0.0.1:4780/" }))).toBe(
    `\
run          whale ${run}
node         ${peerId} (pid 4242, starling 0.1.0, cpu)
addresses    /ip4/127.0.0.1/tcp/4001
dashboard    http://127.0.0.1:4780/
state        training, phase 0, round 12, 3 peers
model        1.0 M parameters, 492 k tokens learned by all
settled      round 4, root ${settled?.root}
loss         2.314 training, 2.500 validation (nats per token)
settled loss 5.545 first, – last (validation)
work         11 of 12 contributions included, 1 min 02 s of training, 9.1 k tokens/s
gates        33 judged in 0.4 s (0.7 % of training), not worth citing: 2 GATE_COSINE
traffic      12 MB in, 4.1 MB out
delta        530 kB mean; 4.2 MB if it were plain float32
`,
  );
});

test("describeStatus() of a node that has only begun has dashes, not zeros", () => {
  const young = aStatus({ pid: null, addresses: [], settled: null, lossNats: null, tokensPerSecond: null });
  const lines = describeStatus(young).split("\n");
  expect(lines).toContain("addresses    –");
  expect(lines).toContain("settled      –");
  expect(lines.find((line) => line.startsWith("node"))).toContain("not running");
  expect(lines.find((line) => line.startsWith("work"))).toMatch(/of training$/);
});

test("P3 P7 describeStatus() of a climb says phase, progress, rank and seats, and who was left behind why", () => {
  const ladder = { phasesCount: 7, tokensBudget: 1_000_000, rank: 4, seats: 3, leftBehindWhy: null };
  const line = (overrides: Partial<typeof ladder>, name: string): string | undefined =>
    describeStatus(aStatus({ phase: 2, ladder: { ...ladder, ...overrides } as typeof ladder }))
      .split("\n")
      .find((each) => each.startsWith(name));
  expect(line({}, "ladder")).toBe("ladder       phase 2 of 0 to 6, 49 %, rank 4, the best 3 go on");
  expect(line({}, "left behind")).toBeUndefined();
  const why = "rank 4 of 4, and 3 went on" as unknown as null;
  expect(line({ leftBehindWhy: why }, "left behind")).toBe("left behind  rank 4 of 4, and 3 went on");
  expect(line({ phasesCount: 1 }, "ladder")).toBeUndefined();
});

test("P6 describeStatus() of a node that left its run says where it goes on", () => {
  const { run } = aStatus();
  const text = describeStatus(aStatus({ successor: { run, dataDir: "/data/successor", round: 9 } }));
  expect(text).toContain(`\nwent on      with run ${run}, in /data/successor\n`);
});
