/** N8: what an installed package brings along may be given away under our licence. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

/** Permissive, or (MPL-2.0) binding only for changes to its own files, of which we make none. */
const ALLOWED = new Set([
  "0BSD",
  "Apache-2.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "BlueOak-1.0.0",
  "CC0-1.0",
  "ISC",
  "MIT",
  "MPL-2.0",
  "Python-2.0",
  "Unlicense",
]);

interface LockedPackage {
  readonly license?: string;
  readonly dev?: boolean;
}

test("N8 every third-party package that is installed with ours has a licence that goes with Apache-2.0", () => {
  const path = fileURLToPath(new URL("../../package-lock.json", import.meta.url));
  const { packages } = JSON.parse(readFileSync(path, "utf8")) as { packages: Record<string, LockedPackage> };
  const installed = Object.entries(packages).filter(([name, { dev }]) => name !== "" && dev !== true);
  expect(installed.length).toBeGreaterThan(100);
  const wrong = installed.filter(([, { license = "none" }]) => {
    const choices = license.replaceAll(/[()]/g, "").split(" OR ");
    return !choices.some((choice) => choice.split(" AND ").every((each) => ALLOWED.has(each)));
  });
  expect(wrong.map(([name, { license }]) => `${name}: ${license}`)).toEqual([]);
});
