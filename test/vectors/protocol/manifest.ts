/** manifest.json: manifests as JSON, their canonical block, and the name of the run. */
import { RAW, cidOf } from "../../../src/core/index.ts";
import { type Manifest, draftManifest, runIdOf } from "../../../src/node/index.ts";
import { encodeManifest, parseManifest } from "../../../src/node/manifest.ts";
import { hex, keyOf } from "./support.ts";

export interface ManifestVector {
  name: string;
  manifest: Manifest;
  /** The block, hex. */
  block: string;
  run: string;
}

const DATA = { root: cidOf(new TextEncoder().encode("To be, or not to be"), RAW), bytes: 19 };

export async function manifestVectors(): Promise<ManifestVector[]> {
  const tiny = draftManifest({ preset: "tiny", textPath: "book.txt", startPeers: 2 }, DATA);
  const flight = draftManifest({ preset: "flight", textPath: "book.txt", name: "Möwe", seed: 7 }, DATA);
  const founders = await Promise.all(["ada", "bob"].map(async (name) => (await keyOf(name)).peer));
  const founded = parseManifest({ ...flight, founders });
  const closed = parseManifest({ ...tiny, admission: { peers: founders, networkKey: "5a".repeat(32) } });
  const ladder = draftManifest({ preset: "flight-school", textPath: "book.txt", startPeers: 4 }, DATA);
  return Object.entries({ tiny, flight, founded, closed, ladder }).map(([name, manifest]) => ({
    name,
    manifest,
    block: hex(encodeManifest(manifest)),
    run: runIdOf(manifest),
  }));
}
