/** The engine that trains here: the one that was asked for by name, or the one that trials choose for the first phase. */
import { availableParallelism } from "node:os";
import { type Logger, StarlingError } from "../../core/index.ts";
import {
  type EngineName,
  noMixedPrecision,
  runOn,
  supportedEngines,
  takeDevices,
} from "../../trainer/index.ts";
import type { Phase } from "../run/manifest.ts";
import { chooseEngine } from "./choose.ts";

export interface NodeEngineOptions {
  readonly engine: EngineName | "auto";
  readonly device?: string | undefined;
  readonly devices?: "all" | readonly number[] | undefined;
  /** Bytes of each GPU that training may take; null or absent: as much as it needs. */
  readonly gpuMemoryMax?: number | null | undefined;
  readonly mixedPrecision?: boolean;
  /** 0: one per core. */
  readonly threads: number;
}

export interface NodeEngineDeps {
  readonly dataDir: string;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

export class NodeEngine {
  readonly #options: NodeEngineOptions;
  readonly #deps: NodeEngineDeps;
  #name: EngineName | "auto" = "auto";
  #reason: string | null = null;
  #devices: readonly (number | undefined)[] = [undefined];

  constructor(options: NodeEngineOptions, deps: NodeEngineDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** "auto" until one is chosen. */
  get name(): EngineName | "auto" {
    return this.#name;
  }

  /** Why this one; null when it was asked for by name. */
  get reason(): string | null {
    return this.#reason;
  }

  /** One trainer for each; undefined: the device that the engine has. */
  get devices(): readonly (number | undefined)[] {
    return this.#devices;
  }

  get threads(): number {
    return this.#options.threads || availableParallelism();
  }

  /**
   * How much of a GPU's memory an engine may use; null: of no GPU, or as it needs.
   * @throws StarlingError `DEVICE_INVALID` where the user set a bound that the engine can't keep
   */
  gpuMemoryMaxOf(engine: EngineName): number | null {
    const { engine: asked, gpuMemoryMax = null } = this.#options;
    // What is chosen by trials need not be a GPU.
    if (gpuMemoryMax === null || (engine === "cpu" && asked === "auto")) return null;
    if (engine !== "cpu" && engine !== "tfjs") return gpuMemoryMax;
    throw new StarlingError(
      "DEVICE_INVALID",
      `expected no --gpu-memory-max for ${engine}, which ${engine === "cpu" ? "uses no GPU" : "takes what TensorFlow takes"}; it is for webgpu, cuda, directml and coreml`,
    );
  }

  /** What was asked for, checked before anything starts. Throws `ENGINE_UNAVAILABLE`, and the trainer's errors. */
  take(): void {
    const { engine, device, devices, mixedPrecision } = this.#options;
    if (engine !== "auto") this.#takeNamed(engine);
    else if (mixedPrecision === true) throw noMixedPrecision(engine);
    if (engine === "cpu" || engine === "tfjs") this.gpuMemoryMaxOf(engine);
    if (devices !== undefined) this.#devices = takeDevices(engine, { several: devices });
    else if (device !== undefined) this.#devices = takeDevices(engine, { one: device });
  }

  /** Proven or not. */
  #takeNamed(engine: EngineName): void {
    const supported = supportedEngines();
    if (!supported.includes(engine)) {
      throw new StarlingError(
        "ENGINE_UNAVAILABLE",
        `expected one of ${supported.join(", ")} here, got ${engine}`,
      );
    }
    this.#name = engine;
    if (runOn(engine) !== null) return;
    this.#reason = "asked for by name";
    this.#deps.log.warn("this engine has never been run by its authors: compare its losses with the CPU's", {
      engine,
    });
  }

  /** Chosen for the first phase that is asked about, and the same from then on. */
  async of({ model, optimizer, batch }: Phase): Promise<EngineName> {
    if (this.#name !== "auto") return this.#name;
    const { sequences } = batch;
    const { engine, reason } = await chooseEngine(
      { model, optimizer, sequences, threads: this.threads },
      this.#deps,
    );
    this.#name = engine;
    this.#reason = reason;
    return engine;
  }
}
