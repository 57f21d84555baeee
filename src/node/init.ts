/** Makes a run: cuts a text into blocks and writes the manifest that names them. */
import { readFile, readdir, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import {
  type Digest,
  type Logger,
  type PeerId,
  type RunId,
  StarlingError,
  messageOf,
} from "../core/index.ts";
import { openStore, putBody } from "../storage/index.ts";
import { type Manifest, encodeManifest, parseManifest, runIdOf } from "./manifest.ts";
import { type NetworkKey, createNetworkKey, networkKeyPath, writeNetworkKey } from "./network-key.ts";
import { presetOf } from "./presets.ts";
import type { Rung } from "./presets/preset.ts";

export interface InitOptions {
  readonly preset: string;
  /** A text file, or a folder whose files are taken in the order of their names. */
  readonly textPath: string;
  /** The last share of the text, held out for validation. */
  readonly heldOutShare?: number;
  readonly name?: string;
  readonly seed?: number;
  /** Nodes that the first round waits for. */
  readonly startPeers?: number;
  /** Length of each phase, in rounds of `startPeers` nodes that do all their steps. */
  readonly rounds?: number;
  readonly licence?: string;
  /** Only these may take part. */
  readonly admit?: readonly PeerId[];
  /** Make a network key, without which nobody can connect. */
  readonly isPrivate?: boolean;
}

const HELD_OUT_SHARE = 0.1;

/**
 * The text's blocks go into `dataDir`, from where a node started on it serves them; the network key of a closed run too.
 */
export async function initRun(
  options: InitOptions,
  { dataDir, log }: { dataDir: string; log: Logger },
): Promise<{ run: RunId; manifest: Manifest; networkKey: NetworkKey | undefined }> {
  const text = await readText(options.textPath);
  const networkKey = options.isPrivate === true ? createNetworkKey() : undefined;
  const store = await openStore(dataDir, { log });
  try {
    const root = await putBody(store.blocks, text);
    const manifest = draftManifest(options, { root, bytes: text.length }, networkKey?.digest);
    const run = runIdOf(manifest);
    await store.blocks.put(run, encodeManifest(manifest));
    if (networkKey !== undefined) await writeNetworkKey(networkKeyPath(dataDir), networkKey);
    return { run, manifest, networkKey };
  } finally {
    await store.close();
  }
}

/** @throws StarlingError `PRESET_UNKNOWN`, `MANIFEST_INVALID` */
export function draftManifest(
  options: InitOptions,
  data: Pick<Manifest["data"], "root" | "bytes">,
  networkKey?: Digest,
): Manifest {
  const { rungs } = presetOf(options.preset);
  const startPeers = options.startPeers ?? rungs[0].phase.rule.startPeers;
  const draft = {
    v: 1,
    name: options.name ?? basename(resolve(options.textPath)),
    seed: String(options.seed ?? 1),
    founders: [],
    ...admissionOf(options.admit ?? [], networkKey),
    data: {
      ...data,
      heldOutShare: options.heldOutShare ?? HELD_OUT_SHARE,
      source: basename(resolve(options.textPath)),
      licence: options.licence ?? "unknown",
    },
    tokenizer: "bytes",
    phases: rungs.map(({ rounds, phase }) => ({
      ...phase,
      tokensBudget:
        (options.rounds ?? rounds) *
        Math.min(startPeers, phase.entry?.seats ?? startPeers) *
        tokensPerRound(phase),
      rule: { ...phase.rule, startPeers },
    })),
  };
  return parseManifest(draft);
}

/** Of one node that does all its steps. */
function tokensPerRound({ batch, model }: Rung["phase"]): number {
  return batch.stepsPerRound * batch.sequences * model.contextLength;
}

function admissionOf(peers: readonly PeerId[], networkKey?: Digest): Pick<Manifest, "admission"> {
  if (peers.length === 0 && networkKey === undefined) return {};
  const listed = peers.length === 0 ? {} : { peers };
  return { admission: networkKey === undefined ? listed : { ...listed, networkKey } };
}

async function readText(path: string): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    const isFolder = (await stat(path)).isDirectory();
    const names = isFolder
      ? (await readdir(path, { recursive: true, withFileTypes: true })).filter((e) => e.isFile())
      : [];
    const paths = isFolder ? names.map((e) => join(e.parentPath, e.name)).sort() : [path];
    bytes = Buffer.concat(await Promise.all(paths.map((file) => readFile(file))));
  } catch (error) {
    throw new StarlingError(
      "TEXT_UNREADABLE",
      `expected a text file or folder at ${path}: ${messageOf(error)}`,
      {
        cause: error,
      },
    );
  }
  if (bytes.length > 0) return bytes;
  throw new StarlingError("TEXT_EMPTY", `expected text at ${path}, got 0 bytes`);
}
