/** `npm run test:pack`: the package as npm would publish it, installed in an empty folder. Minutes, so apart from the rest. */
import { defineConfig, type ViteUserConfig } from "vitest/config";

const MINUTES = 60_000;
const config: ViteUserConfig = defineConfig({
  test: {
    include: ["test/pack/**/*.test.ts"],
    pool: "forks",
    maxWorkers: 1,
    testTimeout: 5 * MINUTES,
    hookTimeout: 8 * MINUTES,
  },
});
export default config;
