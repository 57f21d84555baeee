/** The checkpoints of a folder: those of a phase against its history, the others as far as they can be. */
import { type Archive, checkSeal } from "../../storage/index.ts";
import { type SoundCheckpoint, checkCheckpoint } from "./checkpoint-check.ts";
import type { Tally } from "./findings.ts";
import type { PhaseFacts } from "./phase.ts";
import type { Rounds } from "./rounds.ts";

export async function checkCheckpoints(
  source: Archive,
  { rounds, facts, tally }: { rounds: Rounds; facts: PhaseFacts; tally: Tally },
): Promise<void> {
  for await (const folder of source.checkpoints()) {
    if (folder.phase !== facts.phase) continue;
    const subject = `checkpoints/${folder.name}`;
    const checked = checkCheckpoint(folder, facts);
    if (checked.kind !== "accept") {
      tally.refuse(subject, checked);
      continue;
    }
    const { round, root } = checked.value.meta;
    const expected = rounds.rightRoot(round);
    // A node that resynced may still have one of the history that it left.
    if (expected === undefined || rounds.isElsewhere(round, root)) tally.unchecked.checkpoints += 1;
    else if (expected === root) tally.checked.checkpoints += 1;
    else
      tally.find("CHECKPOINT_HISTORY", subject, `expected root ${expected} of round ${round}, got ${root}`);
  }
}

/** Of phases that could not be checked: they are at least whole. */
export async function checkOtherCheckpoints(
  source: Archive,
  { phasesCount, tally }: { phasesCount: number; tally: Tally },
): Promise<void> {
  for await (const { phase, name, files } of source.checkpoints()) {
    if (phase < phasesCount) continue;
    const broken = checkSeal(files);
    if (broken === undefined) tally.unchecked.checkpoints += 1;
    else tally.refuse(`checkpoints/${name}`, broken);
  }
}

/** By round; of the same round, the one saved last. */
export async function soundCheckpoints(
  source: Archive,
  facts: PhaseFacts,
): Promise<Map<number, SoundCheckpoint>> {
  const sound = new Map<number, SoundCheckpoint>();
  for await (const folder of source.checkpoints()) {
    if (folder.phase !== facts.phase) continue;
    const checked = checkCheckpoint(folder, facts);
    if (checked.kind === "accept" && !sound.has(folder.round)) sound.set(folder.round, checked.value);
  }
  return sound;
}
