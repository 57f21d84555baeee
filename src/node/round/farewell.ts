/** Leaving without losing work: after the round in hand, or only when others hold what this node gave last. */
import type { Machine } from "../../consensus/index.ts";
import type { Clock, PeerId } from "../../core/index.ts";
import type { Gate } from "../idle/gate.ts";

/** `round`: our contribution to it is published. `cited`: somebody else cites it, so holds its delta. */
export type Until = "round" | "cited";

/** Citations come with the next round; without one by then the others have gone. Guess: a few patient rounds. */
const CITED_MS_MAX = 10 * 60_000;

export interface FarewellDeps {
  readonly machine: Pick<Machine, "round" | "stage" | "lastOwn"> & {
    readonly graph: Pick<Machine["graph"], "round">;
  };
  readonly self: PeerId;
  readonly gate: Gate;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Whether a round is being trained: while paused the machine waits in that stage, too. */
  readonly isTraining: () => boolean;
  readonly peersCount: () => number;
  readonly onChange: (listener: () => void) => () => void;
}

/** Resolves when the node may go. From now on it begins nothing new. */
export async function farewell(until: Until, deps: FarewellDeps): Promise<void> {
  const { machine, self, gate, clock, signal, isTraining, peersCount } = deps;
  const { round } = machine;
  const hasPublished = (): boolean => {
    if (gate.why !== null && !isTraining() && machine.stage !== "publishing") return true;
    return machine.stage === "finished" || machine.round > round || machine.graph.round(round).some(isOwn);
  };
  const isOwn = ({ header }: { header: { author: PeerId } }): boolean => header.author === self;
  const isCited = (): boolean => {
    const last = machine.lastOwn;
    if (last === undefined || peersCount() === 0 || machine.stage === "finished") return true;
    const citers = machine.graph.round(last.header.round + 1).filter((c) => !isOwn(c));
    return citers.some(({ header }) => header.parents.includes(last.id));
  };
  /** The others are two rounds on: whoever would cite it has cited without it. */
  const isPassedOver = (): boolean =>
    machine.graph.round((machine.lastOwn?.header.round ?? 0) + 2).some((c) => !isOwn(c));
  await when(hasPublished, deps, signal);
  if (until === "round") return;
  const late = AbortSignal.any([signal, timer(clock, CITED_MS_MAX, signal)]);
  try {
    for (;;) {
      // Those who cite it need nothing from us but its bytes.
      gate.close("leaving");
      await when(() => isCited() || isPassedOver(), deps, late);
      if (isCited()) return;
      // It came too late. What is in it goes into the next one, so there has to be one more.
      const passedOver = machine.lastOwn;
      gate.open("leaving");
      // Something else keeps it from training: there will be none.
      if (gate.why !== null) return;
      await when(() => machine.lastOwn !== passedOver || isCited(), deps, late);
    }
  } catch (error) {
    // Nobody cited it in time: there is nobody to wait for.
    if (signal.aborted) throw error;
  }
}

/** Resolves when the condition holds; looks whenever the node changes. */
async function when(holds: () => boolean, { onChange }: FarewellDeps, signal: AbortSignal): Promise<void> {
  const done = Promise.withResolvers<void>();
  const look = (): void => {
    if (holds()) done.resolve();
  };
  const onAbort = (): void => done.reject(signal.reason as Error);
  const stopListening = onChange(look);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    signal.throwIfAborted();
    look();
    await done.promise;
  } finally {
    stopListening();
    signal.removeEventListener("abort", onAbort);
  }
}

function timer(clock: Clock, ms: number, signal: AbortSignal): AbortSignal {
  const ended = new AbortController();
  clock.sleep(ms, signal).then(
    () => ended.abort(new Error("nobody came in time")),
    () => undefined,
  );
  return ended.signal;
}
