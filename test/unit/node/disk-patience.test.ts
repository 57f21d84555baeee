import { expect, test } from "vitest";
import { StarlingError, silentLog } from "../../../src/core/index.ts";
import { DiskPatience } from "../../../src/node/disk/patience.ts";
import { VirtualClock } from "../../support/uplinks.ts";

const FULL = new StarlingError("DISK_FULL", "no room left to write /data/header");

function patience(signal: AbortSignal = new AbortController().signal): {
  clock: VirtualClock;
  disk: DiskPatience;
  said: (string | null)[];
} {
  const clock = new VirtualClock();
  const said: (string | null)[] = [];
  const disk = new DiskPatience({ clock, log: silentLog, signal, changed: (lack) => said.push(lack) });
  return { clock, disk, said };
}

test("S12 a write that finds no room is tried again until there is some; what is lacking is said once", async () => {
  const { clock, disk, said } = patience();
  let tries = 0;
  const write = async (): Promise<number> => {
    tries += 1;
    if (tries <= 3) throw FULL;
    return tries;
  };
  expect(await clock.run(Promise.all([disk.write(write), disk.write(write)]))).toEqual([5, 4]);
  expect(said).toEqual([FULL.message, null]);
});

test("S12 other errors are not waited out", async () => {
  const { clock, disk, said } = patience();
  const broken = new StarlingError("DISK_WRITE_FAILED", "broken");
  const writing = disk.write(() => Promise.reject(broken));
  await expect(clock.run(writing)).rejects.toBe(broken);
  expect(said).toEqual([]);
});

test("S12 a node that is stopped waits no longer", async () => {
  const control = new AbortController();
  const { clock, disk } = patience(control.signal);
  const writing = disk.write(() => Promise.reject(FULL));
  control.abort(new Error("stopping"));
  await expect(clock.run(writing)).rejects.toThrow("stopping");
});
