/** `npm run build`: the sources as JavaScript in dist/, and the dashboard's page beside them, which needs no compiling. */
import { spawnSync } from "node:child_process";
import { cp, rm } from "node:fs/promises";
import { basename } from "node:path";

await rm("dist", { recursive: true, force: true });
const { status, error } = spawnSync("tsc", ["-p", "tsconfig.build.json"], {
  stdio: "inherit",
  shell: process.platform === "win32",
});
if (error !== undefined) process.stderr.write(`${error.message}\n`);
if (status !== 0) process.exit(status ?? 1);

/** Only what browsers ask for; tsconfig.json and the types beside it are ours. */
const SERVED = /\.(html|css|js|svg)$/;
await cp("src/dashboard/page", "dist/dashboard/page", {
  recursive: true,
  filter: (path) => SERVED.test(path) || basename(path) === "page",
});
