/** Everything that CI runs, in order; stops at the first that fails. `npm run check`. */
import { spawnSync } from "node:child_process";

const steps: readonly (readonly [string, ...string[]])[] = [
  ["oxfmt", "--check", "."],
  ["oxlint", "--type-aware", "--deny-warnings"],
  ["tsc", "-p", "."],
  ["tsc", "-p", "src/dashboard/page"],
  ["tsc", "-p", "test/browser"],
  ["npm", "run", "build"],
  ["knip"],
  ["npm", "test"],
];

for (const [command, ...args] of steps) {
  process.stdout.write(`\n$ ${[command, ...args].join(" ")}\n`);
  const { status, error } = spawnSync(command, args, {
    stdio: "inherit",
    shell: process.platform === "win32",
  });
  if (error !== undefined) process.stderr.write(`${error.message}\n`);
  if (status !== 0) process.exit(status ?? 1);
}
