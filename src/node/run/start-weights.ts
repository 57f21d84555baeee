/** The weights that a run starts from when its manifest names some. */
import { StarlingError } from "../../core/index.ts";
import { parametersCount } from "../../trainer/index.ts";
import type { ReadBody } from "../data/run-data.ts";
import { type Manifest, phaseOf } from "./manifest.ts";

/** P int32 as bytes; null: the seed's initial weights. @throws StarlingError `START_INVALID` */
export async function readStartWeights(manifest: Manifest, read: ReadBody): Promise<Uint8Array | null> {
  if (manifest.start === null) return null;
  const bytes = 4 * parametersCount(phaseOf(manifest, 0).model);
  const found = await read(manifest.start, bytes);
  if (found.kind === "accept" && found.value.length === bytes) return found.value;
  const got = found.kind === "accept" ? `${found.value.length}` : found.detail;
  throw new StarlingError(
    "START_INVALID",
    `expected ${bytes} bytes of start weights under ${manifest.start}, got ${got}`,
  );
}
