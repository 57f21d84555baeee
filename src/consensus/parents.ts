/** Which of the checked contributions of a round a node cites. */
import type { Digest } from "../core/index.ts";
import { type Draw, lotOf } from "./lot.ts";
import { type Contribution, type PhaseContext, type View } from "./view.ts";

/** Of the seats, this share is kept for strangers, or newcomers would never be heard. Guess: one in eight. */
const STRANGERS_SHARE = 1 / 8;

/**
 * `checked`: contributions of one round whose bodies passed. They must build on one settled state: ours where we
 * know it, else the one with the most voting weight behind it. Above membersMax: by weight, then strangers by lot.
 */
export function chooseParents(
  checked: readonly Contribution[],
  view: View,
  settledRoot: Digest | undefined,
): readonly Contribution[] {
  const root = settledRoot ?? heaviestRoot(checked, view);
  // Once per history: an author that left a history for another may have been in this round before.
  const { sets } = view.context;
  return seat(sets.of(checked.filter(({ header }) => header.settled.root === root)), view);
}

function heaviestRoot(contributions: readonly Contribution[], view: View): Digest | undefined {
  const weights = new Map<Digest, number>();
  for (const { header } of contributions) {
    // Every key counts a little, so that there is an answer even where nobody weighs anything.
    const weight = view.weightOf(header.author) + 1e-6;
    weights.set(header.settled.root, (weights.get(header.settled.root) ?? 0) + weight);
  }
  const [best] = [...weights].sort(([a, wa], [b, wb]) => wb - wa || (a < b ? -1 : 1));
  return best?.[0];
}

function seat(candidates: readonly Contribution[], view: View): readonly Contribution[] {
  const { membersMax } = view.context.rule;
  if (candidates.length <= membersMax) return candidates;
  const draw = drawOf(view.context, view.round);
  const ranked = candidates
    .map((c) => ({
      c,
      weight: view.weightOf(c.header.author),
      lot: lotOf(draw, c.header.author, 0),
    }))
    .sort((a, b) => b.weight - a.weight || (a.lot < b.lot ? -1 : 1));
  const strangersCount = Math.min(
    Math.max(1, Math.floor(membersMax * STRANGERS_SHARE)),
    ranked.filter(({ weight }) => weight === 0).length,
  );
  const known = ranked.slice(0, membersMax - strangersCount);
  const strangers = ranked.filter((r) => r.weight === 0 && !known.includes(r)).slice(0, strangersCount);
  const rest = ranked.filter((r) => !known.includes(r) && !strangers.includes(r));
  return [...known, ...strangers, ...rest].slice(0, membersMax).map(({ c }) => c);
}

function drawOf({ run, phase }: PhaseContext, round: number): Draw {
  return { run, phase, round };
}
