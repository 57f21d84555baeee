/** The machine's own Chromium. A machine without one fails these tests: skipping them would show nothing. */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, chromium } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "chrome"];

/** `CHROMIUM` in the environment, or the first that the PATH has. */
function findChromium(): string {
  const given = process.env["CHROMIUM"];
  if (given !== undefined) return given;
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const found = folders
    .flatMap((folder) => NAMES.map((name) => join(folder, name)))
    .find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new Error("expected Chromium on the PATH or in CHROMIUM: apt-get install chromium");
}

export function launch(): Promise<Browser> {
  // Without its own sandbox it also runs as root, as in CI; it only ever opens our own page.
  return chromium.launch({ executablePath: findChromium(), args: ["--no-sandbox"] });
}
