/**
 * Settled states to fold from, when all headers are at hand but not all bodies: after a restart, or where bodies were let go
 * (docs/design.md, section 7). What a state must be is said by the headers, since every contribution names the settled
 * root that it builds on: so the weights may come from anybody.
 */
import { type PeerId, assert } from "../core/index.ts";
import { AHEAD_ROUNDS_KNOWN_MAX, type ContributionGraph } from "./graph.ts";
import type { Lineage } from "./lineage.ts";
import type { Settled } from "./header.ts";
import { wins } from "./histories.ts";
import { phaseEnd } from "./phase-end.ts";
import type { Rule } from "./rule.ts";
import type { Contribution, View } from "./view.ts";

/**
 * Rounds back from the newest in which histories are looked for: as far as somebody may be ahead of all others, and some more. With
 * fewer, a light history that races ahead would be the only one in sight.
 */
const TIP_ROUNDS = AHEAD_ROUNDS_KNOWN_MAX + 64;
/** Histories that are compared. Guess. */
const TIPS_MAX = 16;

/**
 * History as somebody saw it who was the first to build on a settled state: ourselves if we did, else who weighs most.
 * Undefined: nobody did.
 */
export function viewOn(
  graph: ContributionGraph,
  { round, root }: Settled,
  { rule, self }: { rule: Rule; self: PeerId },
): View | undefined {
  for (let r = round + rule.settleDepth; r < graph.roundsCount; r++) {
    const builders = graph.round(r).filter(({ lineage }) => lineage.at(round)?.root === root);
    const [first] = builders.toSorted((a, b) => rankOf(b, self) - rankOf(a, self));
    if (first !== undefined) return first.view;
  }
  return undefined;
}

function rankOf({ header, view }: Contribution, self: PeerId): number {
  return header.author === self ? Infinity : view.weightOf(header.author);
}

/** How much of the flock must have gone on in a settled state. */
export interface Backing {
  /** Of all voting weight as of the settled round before; 0: any of it. */
  readonly share: number;
  /** The settled states up to this round are taken as they are. */
  readonly sinceRound: number;
}

/**
 * The settled states of the history that is to be followed, the newest first; each is built on by a header, whoever wrote it,
 * and by the weight that is asked for.
 */
export function* settledStates(graph: ContributionGraph, backing?: Backing): Generator<Settled> {
  const tip = heaviestTip(graph)?.lineage;
  let lineage = tip && backing ? lastBacked(graph, tip, backing) : tip;
  for (; lineage !== undefined; lineage = lineage.before) yield { round: lineage.round, root: lineage.root };
}

/**
 * Goes up from what is taken as it is, since weights are only as good as the history below them: who races alone for long
 * holds all weight in the end, in its own history.
 */
function lastBacked(graph: ContributionGraph, tip: Lineage, { share, sinceRound }: Backing): Lineage {
  const chain: Lineage[] = [tip];
  for (let at = tip.before; at !== undefined && at.round >= sinceRound; at = at.before) chain.push(at);
  chain.reverse();
  const places = new Map(chain.map((lineage, place) => [lineage, place]));
  /** How far up each author has gone, and the first who went there. */
  const reached = new Map<PeerId, number>();
  const first: Contribution[] = [];
  for (let r = sinceRound; r < graph.roundsCount; r++) {
    for (const c of graph.round(r)) {
      const place = places.get(c.lineage);
      if (place === undefined) continue;
      first[place] ??= c;
      reached.set(c.header.author, Math.max(place, reached.get(c.header.author) ?? 0));
    }
  }
  let backed = chain[0];
  for (let place = 1; place < chain.length; place++) {
    let [total, behind] = [0, 0];
    // They vote by the table of the settled round before.
    for (const [author, weight] of first[place]?.view.voters() ?? []) {
      total += weight;
      if ((reached.get(author) ?? -1) >= place) behind += weight;
    }
    if (behind < share * total || (behind === 0 && total > 0)) break;
    backed = chain[place];
  }
  assert(backed !== undefined, "a chain has its tip");
  return backed;
}

/**
 * What a phase ends with in the history that is to be followed, once that weight has gone on in it; undefined: it has not
 * ended there.
 */
export function phaseEndIn(
  graph: ContributionGraph,
  tokensBudget: number,
  backing: Backing,
): Settled | undefined {
  const tip = heaviestTip(graph);
  const round = tip && phaseEnd(tip.view, tokensBudget);
  if (tip === undefined || round === undefined) return undefined;
  const root = lastBacked(graph, tip.lineage, backing).at(round)?.root;
  return root && { round, root };
}

/** The newest contribution of the history that outweighs all others. */
function heaviestTip(graph: ContributionGraph): Contribution | undefined {
  const tips: Contribution[] = [];
  /** What tips build on: almost every contribution is of one of these, and asking each tip takes a walk back. */
  const known = new Set<Lineage>();
  const oldest = Math.max(0, graph.roundsCount - TIP_ROUNDS);
  for (let r = graph.roundsCount - 1; r >= oldest && tips.length < TIPS_MAX; r--) {
    for (const c of graph.round(r)) {
      if (tips.length >= TIPS_MAX || known.has(c.lineage)) continue;
      if (!tips.some((tip) => tip.lineage.agrees(c.lineage))) tips.push(c);
      for (let at: Lineage | undefined = c.lineage; at && !known.has(at); at = at.before) known.add(at);
    }
  }
  const [first, ...others] = tips;
  return first && others.reduce((best, tip) => (wins(tip.view, best.view) ? tip : best), first);
}
