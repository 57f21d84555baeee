import { execFile } from "node:child_process";
import { createWriteStream } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createGzip } from "node:zlib";
import { expect, test } from "vitest";

const TEXT_BYTES = 384 * 2 ** 20;

test(
  "T9 text is streamed: a file larger than the memory that the process ever has is cut whole",
  { timeout: 180_000 },
  async () => {
    const dir = await mkdtemp(join(tmpdir(), "starling-peak-"));
    try {
      const path = join(dir, "large.txt.gz");
      const line = `${"so much text that it would not fit, but only one line of it ".repeat(17)}\n`;
      // Numbered, or all of it would be on one side.
      const block = (n: number): string =>
        Array.from({ length: 1000 }, (_, i) => `${n} ${i} ${line}`).join("");
      const blocks = function* (): Generator<string> {
        for (let n = 0; n < TEXT_BYTES / block(0).length; n++) yield block(n);
      };
      await pipeline(Readable.from(blocks()), createGzip({ level: 1 }), createWriteStream(path));
      const dataDir = join(dir, "data");
      await mkdir(dataDir);
      const peak = fileURLToPath(new URL("./peak.ts", import.meta.url));
      const { stdout } = await promisify(execFile)(process.execPath, [peak, path, dataDir]);
      const { bytes, shards, peakBytes } = JSON.parse(stdout) as Record<string, number>;
      expect(bytes).toBeGreaterThanOrEqual(TEXT_BYTES);
      expect(shards).toBeGreaterThan(100);
      expect(peakBytes).toBeLessThan(TEXT_BYTES);
    } finally {
      await rm(dir, { recursive: true });
    }
  },
);
