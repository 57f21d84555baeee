/** A model as a folder that Hugging Face's tools use: what `export` writes, and what others publish. */
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { StarlingError, messageOf } from "../../core/index.ts";
import { readFiles } from "../../storage/index.ts";
import {
  type ModelConfig,
  byteTokenizerFile,
  checkpointFiles,
  exportCheckpoint,
  importCheckpoint,
  tokenizerConfig,
} from "../../trainer/index.ts";
import { tokenizerOf } from "../data/run-data.ts";

const TOKENIZER_FILE = "tokenizer.json";

export interface ModelFolder {
  readonly model: ModelConfig;
  /** (P,) fixed point. */
  readonly weights: Int32Array;
  /** Null: bytes. */
  readonly tokenizerFile: Uint8Array | null;
}

/** The files of such a folder by name; `card` is its README.md. */
export function modelFolderFiles(o: ModelFolder & { card: string }): Map<string, Uint8Array> {
  const { endToken } = tokenizerOf(o.tokenizerFile);
  const tokenizerFile = o.tokenizerFile ?? byteTokenizerFile();
  return new Map([
    ...exportCheckpoint(o.model, o.weights, endToken),
    [TOKENIZER_FILE, tokenizerFile],
    [
      "tokenizer_config.json",
      tokenizerConfig(tokenizerFile, { endToken, modelMaxLength: o.model.contextLength }),
    ],
    ["README.md", new TextEncoder().encode(o.card)],
  ]);
}

/** @throws StarlingError `MODEL_UNREADABLE`, `CHECKPOINT_INVALID`, `SAFETENSORS_INVALID`, `DISK_READ_FAILED` */
export async function readModelFolder(dir: string): Promise<ModelFolder> {
  const names = await namesIn(dir);
  const files = await readFiles(dir, checkpointFiles(names));
  const { model, weights } = importCheckpoint(files);
  const tokenizerFile = names.includes(TOKENIZER_FILE)
    ? await readTokenizerFile(join(dir, TOKENIZER_FILE))
    : null;
  return { model, weights, tokenizerFile };
}

/** Null when it is the byte tokenizer's, which needs no file. @throws StarlingError `TOKENIZER_UNREADABLE` */
export async function readTokenizerFile(path: string): Promise<Uint8Array | null> {
  try {
    const file = new Uint8Array(await readFile(path));
    return Buffer.compare(file, byteTokenizerFile()) === 0 ? null : file;
  } catch (error) {
    // Translated: says which option to look at.
    const message = `expected a tokenizer.json at ${path}: ${messageOf(error)}`;
    throw new StarlingError("TOKENIZER_UNREADABLE", message, { cause: error });
  }
}

async function namesIn(dir: string): Promise<string[]> {
  try {
    return await readdir(dir);
  } catch (error) {
    // Translated: says what was expected there.
    const message = `expected a folder with config.json and model.safetensors at ${dir}: ${messageOf(error)}`;
    throw new StarlingError("MODEL_UNREADABLE", message, { cause: error });
  }
}
