/** manifest.json: manifests as JSON, their canonical block, and the name of the run. */
import { type Cid, RAW, cidOf } from "../../../src/core/index.ts";
import { type Manifest, draftManifest, runIdOf } from "../../../src/node/index.ts";
import { encodeManifest, parseManifest } from "../../../src/node/run/manifest.ts";
import { hex, keyOf } from "./support.ts";

export interface ManifestVector {
  name: string;
  manifest: Manifest;
  /** The block, hex. */
  block: string;
  run: string;
}

const cid = (text: string): Cid => cidOf(new TextEncoder().encode(text), RAW);
const DATA = { data: [cid("To be, or not to be")] };

export async function manifestVectors(): Promise<ManifestVector[]> {
  const tiny = draftManifest({ preset: "tiny", name: "book.txt", startPeers: 2 }, DATA);
  const flight = draftManifest({ preset: "flight", name: "Möwe", seed: 7 }, DATA);
  const founders = await Promise.all(["ada", "bob"].map(async (name) => (await keyOf(name)).peer));
  const founded = parseManifest({ ...flight, founders });
  const closed = parseManifest({ ...tiny, admission: { peers: founders, networkKey: "5a".repeat(32) } });
  const ladder = draftManifest({ preset: "flight-school", name: "book.txt", startPeers: 4 }, DATA);
  const { phases } = flight;
  const [{ model }] = phases as [Manifest["phases"][number]];
  const continued = draftManifest(
    { preset: "flight", name: "further" },
    {
      data: [cid("shards of one"), cid("shards of another")],
      tokenizer: cid("tokenizer.json"),
      start: { cid: cid("weights"), model: { ...model, vocabSize: 4096 } },
    },
  );
  return Object.entries({ tiny, flight, founded, closed, ladder, continued }).map(([name, manifest]) => ({
    name,
    manifest,
    block: hex(encodeManifest(manifest)),
    run: runIdOf(manifest),
  }));
}
