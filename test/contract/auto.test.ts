/** `--engine auto`, with real trials in processes of their own, of the engines that this machine has. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { silentLog } from "../../src/core/index.ts";
import { chooseEngine } from "../../src/node/engine/choose.ts";
import { modelPresets, provenEngines } from "../../src/trainer/index.ts";
import { demandedEngines } from "../support/trainer/engines-here.ts";
import { optimizer } from "../support/trainer/models.ts";

const options = { model: modelPresets.tiny, optimizer, sequences: 2, threads: 1 };
const signal = new AbortController().signal;

async function withFolder(use: (dataDir: string) => Promise<void>): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), "starling-auto-"));
  try {
    await use(dataDir);
  } finally {
    await rm(dataDir, { recursive: true });
  }
}

test(
  "T2: auto says of each engine how fast it was or why it is out, and remembers",
  { timeout: 180_000 },
  () =>
    withFolder(async (dataDir) => {
      const choice = await chooseEngine(options, { dataDir, log: silentLog, signal });
      expect(provenEngines()).toContain(choice.engine);
      for (const name of demandedEngines())
        expect(choice.reason).toMatch(new RegExp(`${name} \\d+ tokens/s`));
      for (const name of provenEngines()) {
        if (name !== "cpu") expect(choice.reason).toContain(name);
      }
      const file = join(dataDir, "engine.json");
      const stored = await readFile(file, "utf8");
      expect(await chooseEngine(options, { dataDir, log: silentLog, signal, trialMsMax: 1 })).toEqual(choice);
      // Another model is another question: it is tried anew, here without the time for it.
      const other = { ...options, sequences: 3 };
      const hasty = await chooseEngine(other, { dataDir, log: silentLog, signal, trialMsMax: 1 });
      expect(hasty.engine).toBe("cpu");
      expect(await readFile(file, "utf8")).not.toBe(stored);
    }),
);

test.runIf(provenEngines().length > 1)("T2: a trial whose process dies only puts its engine out", () =>
  withFolder(async (dataDir) => {
    const choice = await chooseEngine(options, { dataDir, log: silentLog, signal, trialMsMax: 1 });
    expect(choice.engine).toBe("cpu");
    expect(choice.reason).toContain("its process ended with SIGKILL");
  }),
);
