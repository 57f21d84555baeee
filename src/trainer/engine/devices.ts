/** Which of its devices an engine trains on: what `--device` and `--devices` say, and what the host can be asked for. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { StarlingError } from "../../core/index.ts";
import { deviceKindOf } from "./backends.ts";
import type { EngineName } from "./engine.ts";

/** Guess: more GPUs than one host holds. */
const DEVICES_MAX = 16;
/** Guess: a driver that has slept takes a second or two. */
const LISTING_MS_MAX = 10_000;

/** One device of an engine; the index is what the runtime calls it, and absent where it knows only one. */
export interface Device {
  readonly index: number | undefined;
  /** For people. */
  readonly name: string;
  readonly memoryBytes: number | null;
}

/** What `--device` and `--devices` say: one, all of the engine's, or these. */
type DeviceChoice = { readonly one: string } | { readonly several: "all" | readonly number[] };

/**
 * The devices to train on, one trainer each.
 *
 * WebGPU gets its device from Vulkan's loader, which reads the environment once, and not a worker's copy of it: so call
 * this on the main thread, before any engine is opened. CUDA counts its devices as `nvidia-smi` does from here on.
 * @throws StarlingError `DEVICE_INVALID` when the engine has no such device to choose.
 */
export function takeDevices(
  engine: EngineName | "auto",
  choice: DeviceChoice,
): readonly (number | undefined)[] {
  if ("one" in choice) return [takeDevice(engine, choice.one)];
  const { several } = choice;
  const kind = deviceKindOf(engine);
  if (engine === "auto") throw invalid("--devices beside an engine by name, such as --engine cuda", "auto");
  if (engine === "cuda") process.env.CUDA_DEVICE_ORDER ??= "PCI_BUS_ID";
  if (several === "all") {
    const devices = listDevices(engine);
    if (devices !== null) return devices.map(({ index }) => index);
    throw invalid(
      `the indices of ${engine}'s GPUs, such as --devices 0,1, since it can't be asked for them`,
      "all",
    );
  }
  const isList =
    several.length > 0 && several.length <= DEVICES_MAX && new Set(several).size === several.length;
  if (!isList) throw invalid(`1 to ${DEVICES_MAX} devices, each once`, several.join());
  if (kind === "index") return several;
  // The processor as several devices: each trainer has its share of the threads.
  if (engine === "cpu") return several.map(() => undefined);
  throw invalid(`--devices all for ${engine}, which has one device here`, several.join());
}

/** What the host says that an engine has; null where nobody can be asked. */
export function listDevices(engine: EngineName): readonly Device[] | null {
  if (engine === "cuda") return parseSmi(askSmi());
  if (deviceKindOf(engine) === "index") return null;
  return [{ index: undefined, name: ONLY[engine] ?? engine, memoryBytes: null }];
}

const ONLY: Partial<Record<EngineName, string>> = {
  cpu: "the processor",
  webgpu: "the GPU that the driver offers first (--device names a driver)",
};

/** Never run by its authors against a real one. Throws when there is none. */
function askSmi(): string {
  const args = ["--query-gpu=index,memory.total,name", "--format=csv,noheader,nounits"];
  try {
    return execFileSync("nvidia-smi", args, { encoding: "utf8", timeout: LISTING_MS_MAX, stdio: "pipe" });
  } catch (error) {
    // Translated: not installed, or no driver is loaded.
    const detail = (error as Error).message.split("\n")[0] ?? "";
    throw invalid("nvidia-smi to list CUDA's devices; name them instead, such as --devices 0,1", detail);
  }
}

/** Lines such as `0, 24564, NVIDIA GeForce RTX 4090`, memory in MiB. */
export function parseSmi(text: string): Device[] {
  const devices = text.split("\n").flatMap((line) => {
    const match = /^\s*(\d+)\s*,\s*(\d+|\[N\/A\])\s*,\s*(.+?)\s*$/.exec(line);
    if (match === null) return [];
    const memory = Number(match[2]);
    const memoryBytes = Number.isFinite(memory) ? memory * 2 ** 20 : null;
    return [{ index: Number(match[1]), name: match[3] ?? "", memoryBytes }];
  });
  if (devices.length === 0)
    throw invalid("a GPU in what nvidia-smi lists", text.trim().slice(0, 100) || "nothing");
  return devices.slice(0, DEVICES_MAX);
}

/** The index for the engine's options, or undefined where it needs none. */
function takeDevice(engine: EngineName | "auto", text: string): number | undefined {
  const kind = deviceKindOf(engine);
  if (kind === "index" && /^\d{1,3}$/.test(text)) return Number(text);
  if (kind === "vulkan-driver" && process.platform === "linux" && existsSync(text)) {
    process.env.VK_DRIVER_FILES = text;
    process.env.VK_ICD_FILENAMES = text; // what loaders before 1.3.207 read
    return undefined;
  }
  const expected = {
    none: `no --device for --engine ${engine}`,
    index: `the index of a GPU, such as 0, for ${engine}`,
    "vulkan-driver":
      "the file of a Vulkan driver, such as /usr/share/vulkan/icd.d/nvidia_icd.json, and Linux",
  }[kind];
  throw invalid(expected, text);
}

function invalid(expected: string, came: string): StarlingError {
  return new StarlingError("DEVICE_INVALID", `expected ${expected}, got ${came}`);
}
