/** Makes a run: cuts a text into shards, takes a tokenizer and weights to start from, and writes the manifest. */
import { basename, resolve } from "node:path";
import type { CodecSchedule } from "../../codec/index.ts";
import {
  type Cid,
  type Digest,
  type Logger,
  type PeerId,
  type RunId,
  bytesOf,
  silentLog,
} from "../../core/index.ts";
import { type Store, openStore, putBody } from "../../storage/index.ts";
import {
  BYTE_VOCABULARY,
  type ModelConfig,
  type ModelPresetName,
  modelPresets,
} from "../../trainer/index.ts";
import { type AddOptions, addData } from "../data/add.ts";
import type { Documents } from "../data/given-documents.ts";
import type { TokenizerName } from "../data/record.ts";
import { readStoredData, tokenizerOf } from "../data/run-data.ts";
import { type Manifest, encodeManifest, parseManifest, runIdOf } from "./manifest.ts";
import { type ModelFolder, readModelFolder } from "../model/folder.ts";
import { type NetworkKey, createNetworkKey, networkKeyPath, writeNetworkKey } from "../keys/network-key.ts";
import { presetOf } from "../presets/presets.ts";
import type { Rung } from "../presets/preset.ts";

export interface RunOptions {
  readonly preset: string;
  /** The shape of the first phase's model, instead of the preset's. */
  readonly shape?: ModelPresetName;
  readonly name?: string;
  readonly seed?: number;
  /** Nodes that the first round waits for. */
  readonly startPeers?: number;
  /** Length of each phase, in rounds of `startPeers` nodes that do all their steps. */
  readonly rounds?: number;
  /** Who votes before anything has settled; `self`: the key of the folder. None: whoever is there in round 0. */
  readonly founders?: readonly (PeerId | "self")[];
  /** Only these may take part. */
  readonly admit?: readonly PeerId[];
}

export interface InitOptions extends RunOptions, Omit<Partial<AddOptions>, "text" | "tokenizerFile"> {
  /** What to cut: a file or a folder. */
  readonly textPath?: string;
  /** The same from a program: documents, one string each. */
  readonly documents?: Documents;
  /** Records of data that is in the folder already. */
  readonly data?: readonly Cid[];
  readonly tokenizerFile?: Uint8Array | null;
  /** A folder whose model and weights the run starts from, and whose tokenizer it uses. */
  readonly fromDir?: string;
  /** Make a network key, without which nobody can connect. */
  readonly isPrivate?: boolean;
}

/** What of a manifest is known only when its data has been cut. */
export interface DraftParts {
  readonly data: readonly Cid[];
  readonly tokenizer?: TokenizerName;
  readonly vocabulary?: number;
  readonly start?: { readonly cid: Cid; readonly model: ModelConfig };
  readonly networkKey?: Digest;
  /** Whom `self` means. */
  readonly self?: PeerId;
}

/**
 * Everything that the manifest names goes into `dataDir`, from where a node started on it serves it; the network key of a
 * closed run too.
 */
export async function initRun(
  options: InitOptions,
  { dataDir, log = silentLog }: { dataDir: string; log?: Logger },
): Promise<{ run: RunId; manifest: Manifest; networkKey: NetworkKey | undefined }> {
  presetOf(options.preset);
  const networkKey = options.isPrivate === true ? createNetworkKey() : undefined;
  const store = await openStore(dataDir, { log });
  try {
    const made = await initRunIn(store, options, networkKey?.digest);
    if (networkKey !== undefined) await writeNetworkKey(networkKeyPath(dataDir), networkKey);
    return { ...made, networkKey };
  } finally {
    await store.close();
  }
}

async function initRunIn(
  store: Store,
  options: InitOptions,
  networkKey: Digest | undefined,
): Promise<{ run: RunId; manifest: Manifest }> {
  const { textPath, documents, fromDir, data = [], ...rest } = options;
  const from = fromDir === undefined ? undefined : await readModelFolder(fromDir);
  const tokenizerFile = options.tokenizerFile ?? from?.tokenizerFile ?? null;
  const added: Cid[] = [];
  for (const text of [textPath, documents])
    if (text !== undefined) added.push((await addData(store, { ...rest, text, tokenizerFile })).cid);
  const parts: DraftParts = {
    data: [...data, ...added],
    tokenizer: tokenizerFile === null ? "bytes" : await putBody(store.blocks, tokenizerFile),
    vocabulary: tokenizerOf(tokenizerFile).vocabulary,
    ...(from && { start: await putWeights(store, from) }),
    ...(networkKey && { networkKey }),
  };
  const manifest = draftManifest(
    { name: basename(resolve(textPath ?? fromDir ?? "run")), ...options },
    { ...parts, self: store.peerId },
  );
  // Read back whole, as every node will: what a run names must be there and fit together.
  await readStoredData(store.blocks, manifest);
  const run = runIdOf(manifest);
  await store.blocks.put(run, encodeManifest(manifest));
  return { run, manifest };
}

async function putWeights(
  store: Store,
  { model, weights }: ModelFolder,
): Promise<NonNullable<DraftParts["start"]>> {
  return { cid: await putBody(store.blocks, bytesOf(weights)), model };
}

/** @throws StarlingError `PRESET_UNKNOWN`, `MANIFEST_INVALID` */
export function draftManifest(options: RunOptions, parts: DraftParts): Manifest {
  const { rungs } = presetOf(options.preset);
  const startPeers = options.startPeers ?? rungs[0].phase.rule.startPeers;
  const vocabSize = parts.vocabulary ?? BYTE_VOCABULARY;
  const shapeOf = (phase: Rung["phase"], index: number): ModelConfig =>
    options.shape === undefined || index > 0 ? phase.model : modelPresets[options.shape];
  const draft = {
    v: 1,
    name: options.name ?? "run",
    seed: String(options.seed ?? 1),
    founders: foundersOf(options.founders ?? [], parts.self),
    ...admissionOf(options.admit ?? [], parts.networkKey),
    data: parts.data,
    tokenizer: parts.tokenizer ?? "bytes",
    start: parts.start?.cid ?? null,
    phases: rungs.map((rung, index) => {
      const { rounds, phase } = rung;
      const model = index === 0 && parts.start ? parts.start.model : { ...shapeOf(phase, index), vocabSize };
      const seats = Math.min(startPeers, phase.entry?.seats ?? startPeers);
      const tokensBudget = (options.rounds ?? rounds) * seats * tokensPerRound({ ...phase, model });
      const codec = codecOf(rung, tokensBudget);
      return { ...phase, model, tokensBudget, codec, rule: { ...phase.rule, startPeers } };
    }),
  };
  return parseManifest(draft);
}

/** Stages that the last part of a short phase comes before are left out. */
function codecOf({ phase, last }: Rung, tokensBudget: number): CodecSchedule {
  if (last === undefined) return phase.codec;
  const { share, ...settings } = last;
  const fromTokens = Math.floor((1 - share) * tokensBudget);
  const before = phase.codec.filter((stage, i) => i === 0 || stage.fromTokens < fromTokens);
  return [...before, { fromTokens, ...settings }];
}

function foundersOf(named: readonly (PeerId | "self")[], self: PeerId | undefined): PeerId[] {
  return [...new Set(named.map((one) => (one === "self" ? self : one)))].filter((one) => one !== undefined);
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
