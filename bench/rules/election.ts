/**
 * Who is averaged in when peers test what they cite: every honest peer tests every delta and cites what passes; hostile
 * ones cite each other and nobody else; what half of the peers cite is in. Loss tests are the same for everybody (same
 * weights, same batch, same engine), so each is done once here.
 */
import type { DeltaReader } from "../../src/codec/index.ts";
import { foldRound } from "../../src/consensus/index.ts";
import { type GateSettings, cosineOf, cosineOnSupport } from "../../src/trainer/index.ts";
import { toFixed } from "../../src/core/index.ts";
import { type Flock, type Turn, floatsOf } from "./exchange.ts";
import type { GateName } from "./settings.ts";

export interface Sent extends Turn {
  readonly reader: DeltaReader;
  readonly norm: number;
}

export const GATES: GateSettings = { gainNatsMin: 1e-4, cosineMin: 0, copyCosine: 0.98 };

export async function elected<T extends Sent>(
  sent: readonly T[],
  { gates, weights, lossOf }: { gates: readonly GateName[]; weights: Int32Array } & Pick<Flock, "lossOf">,
): Promise<T[]> {
  const before = floatsOf(weights);
  // Loss on a batch before, less the loss after one delta alone.
  const gainOn = async ({ reader }: T, batch: Int32Array): Promise<number> => {
    const after = weights.slice();
    foldRound(after, [{ reader, factor: 2 ** 20 }], 1);
    return (await lossOf(before, batch)) - (await lossOf(floatsOf(after), batch));
  };
  const gains: number[] = [];
  if (gates.includes("loss") || gates.includes("copy"))
    for (const candidate of sent) gains.push(await gainOn(candidate, candidate.batch));
  const copies = gates.includes("copy") ? await copiesAmong(sent, gains, gainOn) : new Set<T>();
  const honest = sent.filter(({ isHostile }) => !isHostile);
  const hostileCount = sent.length - honest.length;
  const learned = honest.map(({ end }) => weights.map((w, i) => w - toFixed(end[i] as number)));
  return sent.filter((candidate, j) => {
    const passes = (judge: T, i: number): boolean =>
      judge === candidate ||
      (!copies.has(candidate) &&
        (!gates.includes("loss") || (gains[j] as number) >= GATES.gainNatsMin) &&
        (!gates.includes("cosine") ||
          cosineOnSupport(candidate.reader, learned[i] as Int32Array) >= GATES.cosineMin));
    const votes = honest.filter(passes).length + (candidate.isHostile ? hostileCount : 0);
    return 2 * votes >= sent.length;
  });
}

/**
 * Of two deltas that are one piece of work, the one whose own batch it serves less. Batches differ in how much there is
 * to gain on them, so the gain is compared with what somebody else's delta gains on the same batch.
 */
async function copiesAmong<T extends Sent>(
  sent: readonly T[],
  gains: readonly number[],
  gainOn: (delta: T, batch: Int32Array) => Promise<number>,
): Promise<Set<T>> {
  const copies = new Set<T>();
  for (const [i, a] of sent.entries()) {
    for (const [j, b] of sent.entries()) {
      if (j <= i || cosineOf(a.reader, b.reader) < GATES.copyCosine) continue;
      const other = sent.find((c) => c !== a && c !== b && cosineOf(a.reader, c.reader) < GATES.copyCosine);
      const usual = async ({ batch }: T): Promise<number> => (other === undefined ? 0 : gainOn(other, batch));
      const advantage = (gains[i] as number) - (await usual(a)) - ((gains[j] as number) - (await usual(b)));
      copies.add(advantage < 0 ? a : b);
    }
  }
  return copies;
}
