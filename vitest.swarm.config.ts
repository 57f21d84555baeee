import { defineConfig, type ViteUserConfig } from "vitest/config";

/** What takes minutes, or tools beside Node (Go, network namespaces): `npm run test:swarm`. One file at a time. */
const config: ViteUserConfig = defineConfig({
  test: {
    include: ["test/swarm/**/*.test.ts"],
    pool: "forks",
    maxWorkers: 1,
    testTimeout: 600_000,
    hookTimeout: 600_000,
  },
});
export default config;
