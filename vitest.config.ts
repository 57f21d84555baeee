import { defineConfig, type ViteUserConfig } from "vitest/config";

const config: ViteUserConfig = defineConfig({
  test: {
    // Real processes and real training share two cores: files run in forks, at most two at a time.
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      // They leave nothing behind in their process, so many files share one: a third less CPU time, measured.
      { extends: true, test: { name: "unit", include: ["test/unit/**/*.test.ts"], isolate: false } },
      {
        extends: true,
        test: {
          name: "system",
          include: ["test/**/*.test.ts"],
          // The rest have scripts of their own.
          exclude: ["test/unit/**", "test/browser/**", "test/pack/**", "test/swarm/**"],
        },
      },
    ],
  },
});
export default config;
