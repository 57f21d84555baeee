/** A run that goes on from an exported model, in the model's own tokens; the joiner has neither of them at first. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { bytesOf, rootOfBytes } from "../../../src/core/index.ts";
import { phaseOf } from "../../../src/node/run/manifest.ts";
import { modelFolderFiles, readModelFolder } from "../../../src/node/model/folder.ts";
import { readFiles, writeFiles } from "../../../src/storage/index.ts";
import { WordCounts, initialWeights, modelPresets, trainTokenizer } from "../../../src/trainer/index.ts";
import { Flock, settledRoots } from "../../support/nodes.ts";

const TEXT = fileURLToPath(new URL("../../../LICENSE", import.meta.url));
const WORDS =
  "a murmuration has no lead bird, each follows a few neighbours, and the flock still turns as one. ";

test("T7 T8 T10 a run starts from a folder's weights and tokenizer, exactly; a joiner pulls both, learns, and writes", async () => {
  const words = new WordCounts();
  words.add(WORDS.repeat(9));
  const tokenizerFile = trainTokenizer(words, { vocabulary: 300 });
  const model = { ...modelPresets.tiny, vocabSize: 300 };
  // Beyond what float32 holds: the remainders count too.
  const weights = initialWeights(model, "somebody's").map((w, i) => w + (i % 7 === 0 ? 2 ** 27 + 1 : 3));
  const from = await mkdtemp(join(tmpdir(), "starling-from-"));
  await writeFiles(from, modelFolderFiles({ model, weights, tokenizerFile, card: "# From\n" }));
  await using flock = await Flock.create({
    textPath: TEXT,
    startPeers: 2,
    rounds: 3,
    init: { fromDir: from },
  });
  await rm(from, { recursive: true });
  expect(phaseOf(flock.manifest, 0).model).toEqual(model);

  const nodes = await flock.startAll(2);
  expect((await settledRoots(nodes)).size).toBe(1);
  const joiner = nodes[1]!;
  const out = join(flock.dir, "out");
  await joiner.exportTo(out);
  const exported = await readModelFolder(out);
  expect(Buffer.compare(exported.tokenizerFile ?? new Uint8Array(0), tokenizerFile)).toBe(0);
  expect(rootOfBytes(bytesOf(exported.weights))).toBe(joiner.status().settled?.weightsRoot);
  const card = Buffer.from((await readFiles(out, ["README.md"])).get("README.md") ?? []).toString();
  for (const fact of [flock.manifest.start, joiner.status().settled?.root, joiner.peerId, "LICENSE"])
    expect(card).toContain(fact);
  let text = "";
  const o = { prompt: "a flock", tokensMax: 12, temperature: 1, topP: 0.9, seed: "s" };
  for await (const part of joiner.generate(o)) text += part;
  expect(text.length).toBeGreaterThan(0);

  await Promise.all(nodes.map((node) => node.stop()));
  const { graph } = await flock.history(1);
  const starts = graph.round(0).map(({ header }) => header.start);
  expect(starts).toEqual([rootOfBytes(bytesOf(weights)), rootOfBytes(bytesOf(weights))]);
});
