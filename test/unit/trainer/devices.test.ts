/** N2: what `--device` and `--devices` may say of which engine. */
import { expect, test } from "vitest";
import { parseSmi, takeDevices } from "../../../src/trainer/engine/devices.ts";

test("N2: a list of GPUs is taken as it is, of the processor as so many trainers, and all of one device is that one", () => {
  expect(takeDevices("cuda", { several: [2, 0] })).toEqual([2, 0]);
  expect(takeDevices("directml", { several: [1] })).toEqual([1]);
  expect(takeDevices("cpu", { several: [0, 1, 2] })).toEqual([undefined, undefined, undefined]);
  for (const engine of ["cpu", "webgpu", "coreml", "tfjs"] as const)
    expect(takeDevices(engine, { several: "all" })).toEqual([undefined]);
  expect(takeDevices("cuda", { one: "3" })).toEqual([3]);
});

test.each([
  ["auto", "all", /beside an engine by name/],
  ["directml", "all", /--devices 0,1/],
  ["webgpu", [0, 1], /--devices all for webgpu/],
  ["cuda", [1, 1], /each once/],
  ["cuda", [], /1 to 16 devices/],
  ["cpu", Array.from({ length: 17 }, (_, i) => i), /1 to 16 devices/],
] as const)(
  "N2: --engine %s --devices %j is refused with what to say instead",
  (engine, several, message) => {
    expect(() => takeDevices(engine, { several })).toThrow(message);
  },
);

test("N2: cards out of what nvidia-smi prints; nothing and rubbish are no cards", () => {
  expect(parseSmi("0, 24564, NVIDIA GeForce RTX 4090\n1, [N/A], Orin (nvgpu)\n")).toEqual([
    { index: 0, name: "NVIDIA GeForce RTX 4090", memoryBytes: 24_564 * 2 ** 20 },
    { index: 1, name: "Orin (nvgpu)", memoryBytes: null },
  ]);
  for (const text of ["", "No devices were found\n"])
    expect(() => parseSmi(text)).toThrow(expect.objectContaining({ code: "DEVICE_INVALID" }) as Error);
});
