import { join } from "node:path";
import { expect, test } from "vitest";
import type { ContributionId } from "../../../src/core/index.ts";
import { openStore } from "../../../src/storage/index.ts";
import { silentLog } from "../../../src/core/index.ts";
import { lacks } from "../../support/lacking.ts";
import { onSmallDisk } from "../../support/small-disk.ts";
import { collect, nodeCid, randomBytes, temporaryDir } from "./support.ts";

test.skipIf(lacks(process.getuid?.() === 0, "root (a full disk)"))(
  "S12 headers put before, and after, a full disk are all there when the folder is opened again",
  async () => {
    const dir = await temporaryDir();
    await onSmallDisk(dir, 24, async (fill) => {
      const data = join(dir, "data");
      const store = await openStore(data, { log: silentLog });
      let written = 0;
      const put = async (bytesCount: number): Promise<void> => {
        const bytes = randomBytes(bytesCount, `header ${written}`);
        const id = nodeCid(bytes) as ContributionId;
        await store.contributions.put({ phase: 0, round: written, id, bytes, durable: true });
        expect(await store.contributions.get(id)).toEqual(bytes);
        written += 1;
      };
      const free = fill(40_000);
      const untilFull = async (): Promise<void> => {
        for (;;) await put(5_000);
      };
      // The record that did not fit is half in the log; what came behind it would be dropped when it is read.
      await expect(untilFull()).rejects.toMatchObject({ code: "DISK_FULL" });
      expect(written).toBeGreaterThan(0);
      await expect(put(100)).rejects.toMatchObject({ code: "DISK_FULL" });
      expect(await collect(store.contributions.all(0))).toHaveLength(written);
      free();
      for (let i = 0; i < 5; i++) await put(500);
      await store.close();
      const again = await openStore(data, { log: silentLog });
      expect(await collect(again.contributions.all(0))).toHaveLength(written);
      await again.close();
    });
  },
);
