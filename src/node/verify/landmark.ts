/**
 * How far a folder was checked before, so that the next check goes on from there: the settled weights of a round below
 * which nothing was false and nothing was left out. It is kept in the folder, beside what it vouches for.
 */
import { join } from "node:path";
import { z } from "zod";
import type { Digest, Logger, RunId } from "../../core/index.ts";
import { bytesOf, rootOfBytes } from "../../core/index.ts";
import { openStates } from "../../storage/index.ts";

/** Counts up when a check looks for more than it did, so that what was checked before is checked again. */
const LANDMARK_VERSION = 1;

export interface Landmark {
  /** Rounds below it have settled and were checked. */
  readonly round: number;
  readonly root: Digest;
  /** (P,) fixed point. */
  readonly weights: Int32Array;
}

export interface LandmarkStore {
  save(landmark: Landmark): Promise<void>;
  /** Undefined when there is none that is whole and of this run, phase and version. */
  load(): Promise<Landmark | undefined>;
}

export function openLandmarks(
  dataDir: string,
  { run, phase, log }: { run: RunId; phase: number; log: Logger },
): LandmarkStore {
  const states = openStates(join(dataDir, phase === 0 ? "verified" : `verified-${phase}`), { keep: 1, log });
  const label = { v: LANDMARK_VERSION, run, phase };
  const schema = z.strictObject({
    v: z.literal(label.v),
    run: z.literal(run),
    phase: z.literal(phase),
    round: z.int().min(0),
    root: z.string(),
    weightsRoot: z.string(),
  });
  return {
    async save({ round, root, weights }) {
      const bytes = bytesOf(weights);
      const meta = { ...label, round, root, weightsRoot: rootOfBytes(bytes) };
      const files = new Map([
        ["verified.json", Buffer.from(`${JSON.stringify(meta, undefined, 2)}\n`)],
        ["weights.bin", bytes],
      ]);
      await states.save({ phase, round }, files);
    },
    async load() {
      const [newest] = await states.list();
      const parts = newest && (await states.load(newest));
      const weights = parts?.get("weights.bin");
      const parsed = schema.safeParse(parseJson(parts?.get("verified.json")));
      if (!parsed.success || weights === undefined || rootOfBytes(weights) !== parsed.data.weightsRoot)
        return undefined;
      const { round, root } = parsed.data;
      return { round, root: root as Digest, weights: new Int32Array(weights.buffer, 0, weights.length / 4) };
    },
  };
}

function parseJson(bytes: Uint8Array | undefined): unknown {
  try {
    return bytes && JSON.parse(Buffer.from(bytes).toString());
  } catch {
    // Then there is no landmark: everything is checked.
    return undefined;
  }
}
