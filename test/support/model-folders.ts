/** Folders with small models, as `starling export` writes them, and data folders with settled checkpoints. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Digest, type RunId, bytesOf, rootOfBytes, silentLog } from "../../src/core/index.ts";
import { initRun, runIdOf } from "../../src/node/index.ts";
import { decodeManifest, encodeManifest, phaseOf } from "../../src/node/run/manifest.ts";
import { modelFolderFiles } from "../../src/node/model/folder.ts";
import { openStore, writeFiles } from "../../src/storage/index.ts";
import { initialWeights, modelPresets } from "../../src/trainer/index.ts";

/** Removed when it is disposed of. */
export class TemporaryFolder implements AsyncDisposable {
  readonly dir: string;

  private constructor(dir: string) {
    this.dir = dir;
  }

  static async create(): Promise<TemporaryFolder> {
    return new TemporaryFolder(await mkdtemp(join(tmpdir(), "starling-models-")));
  }

  path(name: string): string {
    return join(this.dir, name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.dir, { recursive: true, force: true });
  }
}

export async function writeModelFolder(
  dir: string,
  { chatTemplate }: { chatTemplate?: string } = {},
): Promise<void> {
  const model = { ...modelPresets.tiny, contextLength: 128 };
  const files = modelFolderFiles({
    model,
    weights: initialWeights(model, "served"),
    tokenizerFile: null,
    card: "",
  });
  await writeFiles(dir, files);
  if (chatTemplate !== undefined) await writeFile(join(dir, "chat_template.jinja"), chatTemplate);
}

/** What a node that learns `text` leaves behind when nothing has settled yet. */
export async function writeRunFolder(dir: string, textPath: string): Promise<RunId> {
  const { manifest } = await initRun({ preset: "tiny", textPath }, { dataDir: dir, log: silentLog });
  const run = runIdOf(manifest);
  const store = await openStore(dir, { run, log: silentLog });
  await store.blocks.put(run, encodeManifest(manifest));
  await store.close();
  return run;
}

/** As the node's learner saves it: settled weights of their own kind for each round. */
export async function saveCheckpoint(dir: string, run: RunId, round: number): Promise<Digest> {
  const store = await openStore(dir, { log: silentLog });
  const block = await store.blocks.get(run);
  if (block === undefined) throw new Error("expected the manifest in the folder");
  const weights = bytesOf(initialWeights(phaseOf(decodeManifest(block), 0).model, `round-${round}`));
  const weightsRoot = rootOfBytes(weights);
  await store.checkpoints.save(
    { run, phase: 0, round, root: weightsRoot, weightsRoot, accounts: {} },
    weights,
  );
  await store.close();
  return weightsRoot;
}
