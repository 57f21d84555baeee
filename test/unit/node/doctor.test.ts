/** N1: each thing that a node needs, as the doctor finds it in order and out of order, with a fix for what is wrong. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, type Server, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Clock, type PeerId, type RunId, silentLog, systemClock } from "../../../src/core/index.ts";
import { devicesSymptom, engineSymptom, gpuSymptom } from "../../../src/node/doctor/engines.ts";
import type { Symptom } from "../../../src/node/doctor/finding.ts";
import {
  NODE_VERSION_MIN,
  checkClock,
  checkDisk,
  checkMemory,
  checkNode,
} from "../../../src/node/doctor/host.ts";
import { checkNat, checkPeers, checkPort, checkRunning } from "../../../src/node/doctor/network.ts";
import { reportReach } from "../../../src/node/doctor/reach-report.ts";
import { emptyStatus } from "../../../src/node/offline/offline.ts";
import type { NodeStatus } from "../../../src/node/status.ts";
import { parseSmi } from "../../../src/trainer/engine/devices.ts";
import { type EngineName, listDevices } from "../../../src/trainer/index.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const MAIN = fileURLToPath(new URL("../../../src/cli/main.ts", import.meta.url));

let dir: string;
let taken: Server;
let takenAddress: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "doctor-"));
  taken = createServer();
  taken.listen(0, "127.0.0.1");
  await once(taken, "listening");
  takenAddress = `/ip4/127.0.0.1/tcp/${(taken.address() as AddressInfo).port}`;
});
afterAll(async () => {
  taken.close();
  await rm(dir, { recursive: true, force: true });
});

function expectFault(symptom: Symptom, fix: RegExp): void {
  expect(symptom.state).toBe("fault");
  expect(symptom.fix).toMatch(fix);
}

describe("N1: the doctor", () => {
  test("Node: as package.json says", async () => {
    const file = await readFile(new URL("../../../package.json", import.meta.url), "utf8");
    const { engines } = JSON.parse(file) as { engines: { node: string } };
    expect(engines.node).toBe(`>=${NODE_VERSION_MIN.join(".")}`);
    expect(checkNode("v22.18.0").state).toBe("good");
    expect(checkNode("v24.0.1").state).toBe("good");
    expectFault(checkNode("v22.17.9"), /22\.18/);
    expectFault(checkNode("v20.20.0"), /install Node/);
  });

  test("memory: what fits is named, and nothing fitting is a fault", () => {
    expect(checkMemory(1e15)).toMatchObject({ state: "good", fix: null });
    expect(checkMemory(2e9)).toMatchObject({ state: "poor", found: expect.stringContaining("flight") });
    expectFault(checkMemory(10e6), /smaller model/);
  });

  test("disk: a folder that can be written, one that cannot; and nothing is left behind", async () => {
    expect((await checkDisk(join(dir, "not", "yet"), systemClock)).found).toContain("GB free");
    expect(await readdir(dir)).toEqual([]);
    const file = join(dir, "file");
    await writeFile(file, "");
    expectFault(await checkDisk(join(file, "below"), systemClock), /--data/);
    await rm(file);
  });

  test("clock: before this version was made, and one that drifts", async () => {
    let nowMs = 0;
    const clock: Clock = {
      nowMs: () => nowMs,
      sleep: (ms) => {
        nowMs += ms;
        return Promise.resolve();
      },
    };
    const at = (rate: number) => (): number => 1e12 + rate * nowMs;
    expect((await checkClock({ clock, wallMs: at(1), releasedMs: 1 })).state).toBe("good");
    expect((await checkClock({ clock, wallMs: at(1.2), releasedMs: 1 })).state).toBe("poor");
    expectFault(await checkClock({ clock, wallMs: at(1), releasedMs: 2e12 }), /set the time/);
  });

  test("engine and GPU: what starts, what does not and why", () => {
    const cpu = { engine: "cpu", lossesNats: [5], tokensPerSecond: 10 } as const;
    const webgpu = { engine: "webgpu", lossesNats: [5], tokensPerSecond: 90 } as const;
    const broken = { engine: "webgpu", failure: "a/path::f() was false. No adapters" } as const;
    expect(engineSymptom([cpu, webgpu]).found).toMatch(/auto takes webgpu/);
    expect(engineSymptom([cpu, broken])).toMatchObject({ state: "good" });
    expectFault(engineSymptom([{ engine: "cpu", failure: "no library" }, webgpu]), /install/);
    expect(gpuSymptom([cpu, webgpu], [])).toMatchObject({ state: "good" });
    expect(gpuSymptom([cpu, broken], ["cuda"])).toMatchObject({
      state: "poor",
      found: "webgpu: No adapters",
      fix: expect.stringContaining("--engine"),
    });
  });

  test("N2: devices by engine, and all at once where there are several", () => {
    const cpu = { engine: "cpu", lossesNats: [5], tokensPerSecond: 10 } as const;
    const broken = { engine: "webgpu", failure: "No adapters" } as const;
    expect(devicesSymptom([cpu, broken], []).found).toBe("cpu: the processor");
    const list = (engine: EngineName): ReturnType<typeof listDevices> =>
      engine === "cuda" ? parseSmi("0, 24564, GeForce A\n1, [N/A], GeForce B\n") : listDevices(engine);
    const { found } = devicesSymptom([cpu], ["cuda", "directml"], list);
    expect(found).toMatch(
      /^cpu: the processor; cuda: 0 GeForce A \(25\.8 GB\), 1 GeForce B; all at once: .*--devices all/,
    );
  });

  test("port: free, taken, and no address", async () => {
    expect((await checkPort("/ip4/127.0.0.1/tcp/0")).state).toBe("good");
    expectFault(await checkPort(takenAddress), /another port/);
    expectFault(await checkPort("/ip4/1.2.3.4/udp/1"), /--listen/);
  });

  test("NAT and peers without a node: private addresses, somebody or nobody who answers", async () => {
    expect(checkNat(["8.8.8.8", "10.0.0.1"]).state).toBe("good");
    expect(checkNat(["192.168.1.2", "fe80::1"])).toMatchObject({ state: "poor" });
    expect((await checkPeers([takenAddress, "/ip4/127.0.0.1/tcp/1"])).found).toBe("1 of 2 addresses answer");
    expectFault(await checkPeers(["/ip4/127.0.0.1/tcp/1"]), /new address/);
    expect((await checkPeers([])).state).toBe("poor");
  });

  test("a node that runs: reached directly, through relays, not at all; with peers and without", () => {
    const status = { ...emptyStatus("run" as RunId, "peer" as PeerId), pid: 1, state: "training" as const };
    const statesOf = (addresses: string[], peersCount: number): string[] =>
      checkRunning({ ...status, addresses, peersCount }).map(({ state }) => state);
    const relay = "/ip4/8.8.8.8/tcp/1/p2p/a/p2p-circuit/p2p/b";
    expect(statesOf(["/ip4/8.8.8.8/tcp/4001"], 3)).toEqual(["good", "good", "good"]);
    expect(statesOf(["/ip4/10.0.0.1/tcp/4001", relay], 3)).toEqual(["good", "poor", "good"]);
    expect(statesOf(["/ip4/10.0.0.1/tcp/4001"], 0)).toEqual(["good", "poor", "fault"]);
  });

  test("a node's user hears how it is reached, and again only when that changes", async () => {
    const clock = new ManualClock();
    const stopping = new AbortController();
    const said: string[] = [];
    const log = { ...silentLog, info: (message: string) => void said.push(message) };
    let addresses = ["/ip4/10.0.0.1/tcp/4001"];
    const status = (): NodeStatus => ({ ...emptyStatus("run" as RunId, "peer" as PeerId), addresses });
    const reporting = reportReach(status, { clock, log, signal: stopping.signal });
    await clock.advance(60_000);
    addresses = ["/ip4/8.8.8.8/tcp/4001"];
    await clock.advance(60_000);
    stopping.abort(new Error("enough"));
    await reporting;
    expect(said).toEqual([
      expect.stringContaining("only private addresses"),
      expect.stringContaining("reached directly at /ip4/8.8.8.8/tcp/4001"),
    ]);
  });

  test("the command: one JSON object a line, and the exit code says that something is wrong", async () => {
    const args = [
      MAIN,
      "doctor",
      "--json",
      "--data",
      join(dir, "data"),
      "--threads",
      "1",
      "--listen",
      takenAddress,
    ];
    const { code, stdout } = await new Promise<{ code: unknown; stdout: string }>((resolve) => {
      execFile(process.execPath, args, (error, out) => resolve({ code: error?.code, stdout: out }));
    });
    const symptoms = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Symptom);
    expect(symptoms.map(({ name }) => name)).toEqual([
      "node",
      "memory",
      "disk",
      "clock",
      "engine",
      "gpu",
      "devices",
      "port",
      "nat",
      "peers",
    ]);
    for (const { state, fix } of symptoms) if (state !== "good") expect(fix).toBeTruthy();
    expect(symptoms.find(({ name }) => name === "engine")?.state).toBe("good");
    expect(code).toBe(1);
  });
});
