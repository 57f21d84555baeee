/**
 * Whether somebody else wants this machine: the processor time of all other processes, from what the system says of all of
 * them and of us. It works alike on Linux, macOS and Windows; a GPU that others use, or a keyboard, it does not see.
 */
import { cpus } from "node:os";

/** Processor time since the start of the machine and of this process, milliseconds of one core. */
export interface CpuTimes {
  readonly busyMs: number;
  readonly totalMs: number;
  readonly ownMs: number;
}

export function cpuTimes(): CpuTimes {
  let busyMs = 0;
  let totalMs = 0;
  for (const { times } of cpus()) {
    const all = times.user + times.nice + times.sys + times.idle + times.irq;
    totalMs += all;
    busyMs += all - times.idle;
  }
  const { user, system } = process.cpuUsage();
  return { busyMs, totalMs, ownMs: (user + system) / 1000 };
}

/** Share of all cores that others used between two looks, 0..1. */
export function othersShare(before: CpuTimes, now: CpuTimes): number {
  const totalMs = now.totalMs - before.totalMs;
  if (totalMs <= 0) return 0;
  const othersMs = now.busyMs - before.busyMs - (now.ownMs - before.ownMs);
  return Math.min(1, Math.max(0, othersMs / totalMs));
}

/** Guesses: above this share the machine is wanted; it is idle again after this time below it. */
const BUSY_SHARE = 0.25;
const QUIET_MS = 60_000;

/** Busy at once, idle only after a while: a person who pauses to read has not left. */
export class OthersLoad {
  #before: CpuTimes | undefined;
  #quietSinceMs: number | undefined;
  #isBusy = false;

  /** Takes a look; whether somebody else wants the machine. */
  look(times: CpuTimes, nowMs: number): boolean {
    const share = this.#before === undefined ? 0 : othersShare(this.#before, times);
    this.#before = times;
    if (share > BUSY_SHARE) {
      this.#isBusy = true;
      this.#quietSinceMs = undefined;
    } else {
      this.#quietSinceMs ??= nowMs;
      if (nowMs - this.#quietSinceMs >= QUIET_MS) this.#isBusy = false;
    }
    return this.#isBusy;
  }
}
