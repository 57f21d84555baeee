import { defineConfig, type ViteUserConfig } from "vitest/config";

const config: ViteUserConfig = defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // They have scripts of their own.
    exclude: ["test/browser/**", "test/pack/**", "test/swarm/**"],
    // Real processes and real training share two cores: files run in forks, at most two at a time.
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
export default config;
