/** Of the machine itself: Node, memory, disk, clock. */
import { open, rm, stat, statfs } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { dirname, join, resolve } from "node:path";
import { type Clock, messageOf } from "../../core/index.ts";
import { planOfPreset } from "../run/plan.ts";
import { presetNames } from "../presets/presets.ts";
import { type Symptom, fault, good, poor } from "./finding.ts";

/** package.json, `engines`. A test compares them. */
export const NODE_VERSION_MIN: readonly [major: number, minor: number] = [22, 18];

export function checkNode(version: string): Symptom {
  const [major = 0, minor = 0] = version.replace(/^v/, "").split(".").map(Number);
  const [majorMin, minorMin] = NODE_VERSION_MIN;
  const isEnough = major > majorMin || (major === majorMin && minor >= minorMin);
  const found = `${version}, ${availableParallelism()} processors`;
  return isEnough
    ? good("node", found)
    : fault("node", found, `install Node ${majorMin}.${minorMin} or later`);
}

/** Which presets' first phases fit. */
export function checkMemory(availableBytes: number): Symptom {
  const firsts = presetNames.flatMap((name) =>
    planOfPreset(name)
      .slice(0, 1)
      .map((row) => ({ name, ...row })),
  );
  const fitting = firsts.filter(({ memoryBytes }) => memoryBytes <= availableBytes).map(({ name }) => name);
  const free = `${(availableBytes / 1e9).toFixed(1)} GB free`;
  if (fitting.length === firsts.length) return good("memory", `${free}; every preset's first phase fits`);
  const found = `${free}; fit as they are: ${fitting.join(", ") || "none"}`;
  const fix =
    "close other programs, or join a run with a smaller model; smaller micro-batches are taken by themselves";
  return fitting.length === 0 ? fault("memory", found, fix) : poor("memory", found, fix);
}

/** Guess: a small run's headers and deltas of a day. */
const DISK_BYTES_MIN = 1e9;
/** Guess: a contribution is on the disk before it is sent, several times a round. */
const SYNC_MS_MAX = 1000;
const PROBE_BYTES = 1024 * 1024;

export async function checkDisk(dataDir: string, clock: Clock): Promise<Symptom> {
  try {
    const dir = await existing(resolve(dataDir));
    const path = join(dir, `doctor-${process.pid}.tmp`);
    const startedMs = clock.nowMs();
    const file = await open(path, "wx");
    try {
      await file.write(new Uint8Array(PROBE_BYTES));
      await file.sync();
    } finally {
      await file.close();
      await rm(path);
    }
    const tookMs = clock.nowMs() - startedMs;
    const { bavail, bsize } = await statfs(dir);
    const freeBytes = bavail * bsize;
    const found = `${(freeBytes / 1e9).toFixed(1)} GB free at ${dataDir}; 1 MiB was safe after ${tookMs.toFixed(0)} ms`;
    if (freeBytes < DISK_BYTES_MIN)
      return fault("disk", found, "free some space, or choose another folder with --data");
    return tookMs <= SYNC_MS_MAX
      ? good("disk", found)
      : poor("disk", found, "choose a folder on a faster disk with --data: each round waits for it");
  } catch (error) {
    // Decides: whatever it is, a node could not write here either.
    return fault(
      "disk",
      messageOf(error),
      "change the folder's owner or rights, or choose another with --data",
    );
  }
}

/** The folder, or where it will be made: looking makes nothing. */
async function existing(dir: string): Promise<string> {
  try {
    await stat(dir);
    return dir;
  } catch (error) {
    // Decides: one that is not there yet will be made by the first node.
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" && dirname(dir) !== dir) return existing(dirname(dir));
    throw error;
  }
}

const CLOCK_MS = 500;
/** Of the time that both have measured. Guess: a virtual machine's clock that is being set back or forth. */
const DRIFT_SHARE_MAX = 0.05;

/** Rounds are measured on the steady clock, logs and months of traffic on the wall's; `releasedMs`: no time is before it. */
export async function checkClock(o: {
  clock: Clock;
  wallMs: () => number;
  releasedMs: number;
}): Promise<Symptom> {
  const { clock, wallMs, releasedMs } = o;
  const [steady, wall] = [clock.nowMs(), wallMs()];
  await clock.sleep(CLOCK_MS);
  const [steadyMs, passedMs] = [clock.nowMs() - steady, wallMs() - wall];
  const now = new Date(wall).toISOString();
  const fix = "let the system set the time from the network (`timedatectl set-ntp true` on Linux)";
  if (wall < releasedMs) return fault("clock", `${now}, before this version was made`, fix);
  const apart = Math.abs(passedMs - steadyMs) / steadyMs;
  const found = `${now}; wall and steady clock differ by ${(100 * apart).toFixed(1)} %`;
  return apart <= DRIFT_SHARE_MAX ? good("clock", found) : poor("clock", found, fix);
}
