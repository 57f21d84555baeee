/**
 * Where the served model comes from. A node's folder is only read, beside the node that runs on it and without its
 * lock: checkpoints are whole or not there, and blocks never change.
 */
import { readFile, readdir } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import {
  type Logger,
  type RunId,
  StarlingError,
  bytesOf,
  toFloats,
  rootOfBytes,
  silentLog,
} from "../../core/index.ts";
import { createBlockStore, openCheckpoints, readRun } from "../../storage/index.ts";
import {
  type ChatSettings,
  type ModelConfig,
  TOKENIZER_BYTES_MAX,
  decodeWeights,
  readChatSettings,
} from "../../trainer/index.ts";
import { storedBodies } from "../data/run-data.ts";
import { decodeManifest, phaseOf } from "../run/manifest.ts";
import { readModelFolder } from "../model/folder.ts";
import { emptyFolder } from "../offline/offline.ts";
import type { ModelFacts, ModelPlace } from "./protocol.ts";

export interface SourcedModel extends Omit<ModelFacts, "contextTokens"> {
  readonly model: ModelConfig;
  /** (P,) */
  readonly weights: Float32Array;
  /** Null: bytes. */
  readonly tokenizerFile: Uint8Array | null;
  readonly chat: ChatSettings;
}

export interface ModelSource {
  /** Changes when there is a newer model; undefined while there is none. Costs next to nothing. */
  newest(): Promise<string | undefined>;
  /** The newest; undefined when it could not be read whole, so that it is worth trying again. */
  load(): Promise<SourcedModel | undefined>;
}

/** Of the weights' root in a fingerprint: enough to tell models apart. */
const ROOT_DIGITS = 16;
const NO_CHAT: ChatSettings = { template: null, tokens: {} };

/** @throws StarlingError `DATA_DIR_EMPTY`, when no node has ever run on the folder */
export async function openSource({ kind, dir }: ModelPlace, log: Logger): Promise<ModelSource> {
  if (kind === "model") return modelFolder(dir);
  const run = await readRun(dir);
  if (run === undefined) throw emptyFolder(dir);
  return dataFolder(dir, run, log);
}

/** It is read once: whoever exports again serves again. */
function modelFolder(dir: string): ModelSource {
  return {
    newest: () => Promise.resolve(dir),
    async load() {
      const { model, weights, tokenizerFile } = await readModelFolder(dir);
      return {
        name: basename(resolve(dir)),
        fingerprint: rootOfBytes(bytesOf(weights)).slice(0, ROOT_DIGITS),
        origin: { folder: basename(resolve(dir)) },
        model,
        weights: toFloats(weights),
        tokenizerFile,
        chat: await chatSettingsIn(dir),
      };
    },
  };
}

function dataFolder(dir: string, run: RunId, log: Logger): ModelSource {
  // A checkpoint that the node removes while it is read looks damaged; the next look finds a newer one.
  const checkpoints = openCheckpoints(join(dir, "checkpoints"), { log: silentLog });
  const blocks = createBlockStore({ dir: join(dir, "blocks"), temporaryDir: join(dir, "tmp"), log });
  return {
    newest: () => checkpoints.newest(),
    async load() {
      const [saved, block] = [await checkpoints.latest(), await blocks.get(run)];
      if (saved === undefined || block === undefined) return undefined;
      const manifest = decodeManifest(block);
      const { phase, round, root, weightsRoot } = saved.meta;
      const { model } = phaseOf(manifest, phase);
      const { tokenizer } = manifest;
      const found = tokenizer === "bytes" ? null : await storedBodies(blocks)(tokenizer, TOKENIZER_BYTES_MAX);
      if (found !== null && found.kind !== "accept")
        throw new StarlingError(
          "DATA_INVALID",
          `expected the run's tokenizer in ${dir}, got ${found.detail}`,
        );
      return {
        name: manifest.name,
        fingerprint: `${phase}-${round}-${weightsRoot.slice(0, ROOT_DIGITS)}`,
        origin: { run, phase, round, root },
        model,
        weights: toFloats(decodeWeights(model, saved.weights)),
        tokenizerFile: found?.value ?? null,
        chat: NO_CHAT,
      };
    },
  };
}

/** As Hugging Face's tools look for them: a file of its own wins. */
async function chatSettingsIn(dir: string): Promise<ChatSettings> {
  const names = await readdir(dir);
  const settings = names.includes("tokenizer_config.json")
    ? readChatSettings(await readFile(join(dir, "tokenizer_config.json")))
    : NO_CHAT;
  if (!names.includes("chat_template.jinja")) return settings;
  return { ...settings, template: await readFile(join(dir, "chat_template.jinja"), "utf8") };
}
