/** What this node has to say of its run, and what it sees of itself. */
import type { PeerId, RunId } from "../../core/index.ts";
import type { Participation } from "../participation.ts";
import type { Sighting } from "./listing.ts";
import type { Presence } from "./presence.ts";

type Said = Omit<Presence, "peer">;

/** Undefined: the run is not known yet, is closed, or is over; or this node trains nothing. */
export function ownPresence(run: RunId, participation: Participation | undefined): Said | undefined {
  const { manifest, climb, phase = 0 } = participation ?? {};
  const { machine } = climb?.loop ?? {};
  if (manifest === undefined || manifest.admission !== undefined || machine === undefined) return undefined;
  if (climb?.isLastPhase === true && machine.stage === "finished") return undefined;
  const { round, view } = machine;
  return {
    run,
    phase,
    round,
    contributors: view.parents.filter(({ header }) => header.delta !== null).length,
  };
}

export function ownSightings(
  said: Said | undefined,
  {
    peer,
    addresses,
    participation,
  }: { peer: PeerId; addresses: readonly string[]; participation: Participation | undefined },
): Sighting[] {
  const { manifest } = participation ?? {};
  return said === undefined || manifest === undefined
    ? []
    : [{ presence: { ...said, peer }, manifest, addresses, reachedAt: addresses[0] }];
}
