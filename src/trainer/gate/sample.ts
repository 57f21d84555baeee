/**
 * The chunks of a delta that a node looks at. Each node draws its own, once, and tells nobody: an author does not know
 * where it may write what it likes, and a replay is looked at where the original was.
 */
import { CHUNK_LENGTH } from "../../codec/index.ts";
import { SeededRandom } from "../../core/index.ts";

/** Whether a chunk, by its number, is looked at. */
export type Sample = (chunk: number) => boolean;

/**
 * Elements that are looked at; models of fewer are read whole. 64 chunks: at a density of 1/64 they hold 4096 values, and a
 * cosine of those is good to 1/64. Guess.
 */
const SAMPLE_LENGTH = 64 * CHUNK_LENGTH;

export function drawSample(secret: string, parametersCount: number): Sample {
  const share = SAMPLE_LENGTH / parametersCount;
  if (share >= 1) return () => true;
  const random = new SeededRandom(`sample/${secret}`);
  const drawn: boolean[] = [];
  return (chunk) => {
    while (drawn.length <= chunk) drawn.push(random.unit() < share);
    return drawn[chunk] as boolean;
  };
}
