/**
 * Runs a command where WebGPU has a device: SwiftShader, the Vulkan in software of Debian's chromium package. The
 * engine must then be there: the tests of it fail instead of being left out.
 *
 * usage: node scripts/swiftshader.ts COMMAND ...
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

const DRIVERS: readonly string[] = [
  "/usr/lib/chromium/vk_swiftshader_icd.json", // Debian
  "/usr/lib64/chromium-browser/vk_swiftshader_icd.json", // Fedora
];

const driver = process.env.STARLING_SWIFTSHADER ?? DRIVERS.find((path) => existsSync(path));
const [command, ...args] = process.argv.slice(2);
if (driver === undefined || command === undefined) {
  process.stderr.write(
    "expected a command, and SwiftShader: apt-get install chromium libvulkan1, or STARLING_SWIFTSHADER=vk_swiftshader_icd.json\n",
  );
  process.exit(2);
}
const env = {
  ...process.env,
  VK_DRIVER_FILES: driver,
  VK_ICD_FILENAMES: driver,
  STARLING_SWIFTSHADER: driver,
  STARLING_ENGINES: [process.env.STARLING_ENGINES, "webgpu"].filter(Boolean).join(),
};
const { status, error } = spawnSync(command, args, { stdio: "inherit", env });
if (error !== undefined) process.stderr.write(`${error.message}\n`);
process.exit(status ?? 1);
