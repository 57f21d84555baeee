/**
 * Which block to ask for next, and whom: the rarest first (Cohen, "Incentives build robustness in BitTorrent", 2003,
 * section 2.4), of equally rare ones any, so that receivers end up with different blocks to trade. Of several holders
 * the one that holds least, because who holds everything is needed for what nobody else has. And those who hold most
 * (the author, mostly) are spared for what they have already given to somebody: that can soon be had elsewhere, so an
 * author uploads about one copy in all.
 */
import type { Cid, PeerId, SeededRandom } from "../core/index.ts";

/** A block that is wanted. */
export interface Want {
  readonly cid: Cid;
  /** Who is being asked for it, and since when. */
  readonly asked: Map<PeerId, number>;
}

/** A peer that may have some of the blocks, as far as we know. */
export interface Holder {
  readonly peer: PeerId;
  held: ReadonlySet<Cid>;
  given: ReadonlySet<Cid>;
  /** When it last said what it holds. */
  toldMs: number;
  /** Asks under way, and how many there may be. */
  asksCount: number;
  asksMax: number;
  /** Not before this: it was busy. */
  restUntilMs: number;
  /** How long a block of it takes, averaged; undefined before the first. */
  blockMs: number | undefined;
}

export interface Ask {
  readonly want: Want;
  readonly holder: Holder;
}

/** When the plan is made, and what has come so far. */
export interface Progress {
  readonly nowMs: number;
  /** When the last block came; before the first: when the pull began. */
  readonly lastBlockMs: number;
  /** How often nothing came for as long as we waited for what was given to others. */
  readonly pausesCount: number;
}

/** What a holder says of blocks that it has given may have changed after this: then it is asked anew. Guess. */
export const FRESH_MS = 50;
/** What it has not given it has promised us, which lasts longer (gifts.ts): half of that. */
const PROMISED_MS = 5_000;
/**
 * Blocks given on are waited for until nothing has come for so long, and three times a block of the slowest; half as long after each
 * time that this was in vain: whoever got them may be gone. Guess.
 */
const GIVEN_PATIENCE_MS = 5_000;
/** Before the first block has come. Guess: 1 MiB from somebody who serves eight at once at 20 Mbit/s. */
const BLOCK_MS = 3_000;
/** A block that takes longer than this, and four times what another holder needs, is asked for there as well. Guess. */
const SLOW_MS = 8_000;
const SLOW_RATIO = 4;

/** The next ask, or undefined when every free holder must first say what it has, or has nothing for us. */
export function nextAsk(
  wants: Iterable<Want>,
  holders: readonly Holder[],
  progress: Progress,
  random: SeededRandom,
): Ask | undefined {
  const { nowMs } = progress;
  const fullest = Math.max(0, ...holders.map(({ held }) => held.size));
  const isQuiet = isPause(holders, progress);
  let rarest: Ask | undefined;
  let leastRank = Infinity;
  for (const want of wants) {
    if (want.asked.size > 0) continue;
    const sources = holders.filter(({ held }) => held.has(want.cid));
    const rank = sources.length + random.unit();
    if (rank >= leastRank) continue;
    const ready = notSpared(want, sources, { fullest, isQuiet }).filter(
      (holder) => isFree(holder, nowMs) && isSure(holder, want.cid, nowMs),
    );
    const holder = bestOf(want, ready);
    if (holder === undefined) continue;
    rarest = { want, holder };
    leastRank = rank;
  }
  return rarest ?? rescue(wants, holders, { fullest, isQuiet, nowMs });
}

/** Those of a block's holders that may be asked for it now. */
function notSpared(
  want: Want,
  sources: readonly Holder[],
  o: { fullest: number; isQuiet: boolean },
): readonly Holder[] {
  const others = sources.filter(({ held, given }) => held.size < o.fullest || !given.has(want.cid));
  // Where all of several have given it, as when all have everything, there is nobody to wait for.
  const isSpread = others.length === 0 && sources.length > 1;
  return isSpread || o.isQuiet ? sources : others;
}

/** Whether so long nothing has come from anybody that what was given to others seems not to reach us. */
export function isPause(holders: readonly Holder[], { nowMs, lastBlockMs, pausesCount }: Progress): boolean {
  // Who knows one peer only has nobody to get it from later.
  if (holders.length === 1) return true;
  const known = holders.map(({ blockMs }) => blockMs).filter((ms) => ms !== undefined);
  const patienceMs = GIVEN_PATIENCE_MS + 3 * (known.length > 0 ? Math.max(...known) : BLOCK_MS);
  return nowMs - lastBlockMs >= patienceMs / 2 ** pausesCount;
}

/** The best of these holders for a block, if there is one. */
function bestOf(want: Want, holders: readonly Holder[]): Holder | undefined {
  let best: Holder | undefined;
  for (const holder of holders)
    if (holder.held.has(want.cid) && (best === undefined || isBetter(holder, best, want.cid))) best = holder;
  return best;
}

/** Who holds less; of equal ones who has not given it yet, then who has fewer asks, then who is faster. */
function isBetter(a: Holder, b: Holder, cid: Cid): boolean {
  const byGiven = Number(a.given.has(cid)) - Number(b.given.has(cid));
  const bySpeed = (a.blockMs ?? 0) - (b.blockMs ?? 0);
  return (a.held.size - b.held.size || byGiven || a.asksCount - b.asksCount || bySpeed) < 0;
}

/** Another holder for a block that takes much longer than it would there. */
function rescue(
  wants: Iterable<Want>,
  holders: readonly Holder[],
  o: { fullest: number; isQuiet: boolean; nowMs: number },
): Ask | undefined {
  const { nowMs } = o;
  for (const want of wants) {
    if (want.asked.size === 0) continue;
    const waitedMs = nowMs - Math.max(...want.asked.values());
    if (waitedMs <= SLOW_MS) continue;
    const sources = holders.filter(({ held }) => held.has(want.cid));
    const others = notSpared(want, sources, o).filter(
      (holder) =>
        isFree(holder, nowMs) &&
        !want.asked.has(holder.peer) &&
        waitedMs > SLOW_RATIO * (holder.blockMs ?? SLOW_MS),
    );
    const holder = bestOf(want, others);
    if (holder !== undefined) return { want, holder };
  }
  return undefined;
}

/** Whether a holder would be asked for something if we knew that what it said last still holds. */
export function isToBeAskedAnew(holder: Holder, wants: Iterable<Want>, nowMs: number): boolean {
  if (!isFree(holder, nowMs) || nowMs - holder.toldMs <= PROMISED_MS) return false;
  return hasPromised(holder, wants);
}

/** Whether there is something left to ask a holder for that it keeps for us. */
export function hasPromised({ held, given }: Holder, wants: Iterable<Want>): boolean {
  for (const { cid, asked } of wants) if (asked.size === 0 && held.has(cid) && !given.has(cid)) return true;
  return false;
}

function isSure({ toldMs, given }: Holder, cid: Cid, nowMs: number): boolean {
  return nowMs - toldMs <= (given.has(cid) ? FRESH_MS : PROMISED_MS);
}

function isFree(holder: Holder, nowMs: number): boolean {
  return holder.asksCount < holder.asksMax && nowMs >= holder.restUntilMs;
}
