/** A small file system of its own (tmpfs; needs root), which a test can fill to the last byte. */
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** `fill` leaves `leftBytes` (default: none); what it answers with makes room again. */
export type Fill = (leftBytes?: number) => () => void;

/** Mounts it on `dir` while `work` runs. */
export async function onSmallDisk(
  dir: string,
  megabytes: number,
  work: (fill: Fill) => Promise<void>,
): Promise<void> {
  mkdirSync(dir, { recursive: true });
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", dir]);
  try {
    await work((leftBytes = 0) => {
      const filler = join(dir, "filler");
      try {
        writeFileSync(filler, new Uint8Array((megabytes + 1) * 2 ** 20));
      } catch (error) {
        // More than there is room for: what fits is there.
        if ((error as { code?: string }).code !== "ENOSPC") throw error;
      }
      truncateSync(filler, Math.max(0, statSync(filler).size - leftBytes));
      return () => rmSync(filler);
    });
  } finally {
    execFileSync("umount", ["-l", dir]);
  }
}
