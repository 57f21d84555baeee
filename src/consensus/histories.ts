/**
 * Histories that settled differently, and which of two is to be followed (docs/design.md, section 4): the one where
 * the authors who went on hold more voting weight, as of the last settled round that both have in common; equal: the
 * one whose first different root is lower. Round numbers do not count, or racing alone would win.
 */
import type { Digest, PeerId } from "../core/index.ts";
import { type Contribution, type View, settledRoundAt } from "./view.ts";

/** The settled root of a history at a round that is settled in it: every header names one. Undefined: round 0, the start. */
export function rootAt(history: View, settledRound: number): Digest | undefined {
  let view = history;
  for (;;) {
    const [parent] = view.parents;
    if (parent === undefined || parent.header.settled.round < settledRound) return undefined;
    if (parent.header.settled.round === settledRound) return parent.header.settled.root;
    view = parent.view;
  }
}

/** Rounds below this are settled in what a view's parents themselves say. */
export function settledIn(history: View): number {
  return settledRoundAt(Math.max(0, history.round - 1), history.context.rule);
}

/** Whether two views belong to one history, as far as both have settled. */
export function sameHistory(a: View, b: View): boolean {
  const common = Math.min(settledIn(a), settledIn(b));
  return common === 0 || rootAt(a, common) === rootAt(b, common);
}

/** Whether a contribution belongs to a view's history, as far as both have settled; its own word counts. */
export function belongs(contribution: Contribution, history: View): boolean {
  const { settled } = contribution.header;
  const known = settledIn(history);
  if (settled.round === 0 || known === 0) return true;
  if (settled.round <= known) return settled.root === rootAt(history, settled.round);
  return rootAt(contribution.view, known) === rootAt(history, known);
}

/** The last round that two histories settled alike: rounds below it are the same in both. */
export function forkOf(a: View, b: View): number {
  let round = Math.min(settledIn(a), settledIn(b));
  while (round > 0 && rootAt(a, round) !== rootAt(b, round)) round -= 1;
  return round;
}

/** Whether `rival` is to be followed instead of `ours`; both have settled, and differently. */
export function wins(rival: View, ours: View): boolean {
  const fork = forkOf(rival, ours);
  const theirs = weightSince(rival, fork);
  const own = weightSince(ours, fork);
  if (theirs !== own) return theirs > own;
  const [theirRoot, ourRoot] = [rootAt(rival, fork + 1), rootAt(ours, fork + 1)];
  return theirRoot !== undefined && ourRoot !== undefined && theirRoot < ourRoot;
}

/** Voting weight, as of the fork, of the authors who went on in a history. */
function weightSince(history: View, fork: number): number {
  const weights = weightsAt(history, fork);
  const authors = new Set<PeerId>();
  for (let round = fork; round < history.round; round++) {
    for (const { header } of history.included(round)) authors.add(header.author);
  }
  let weight = 0;
  for (const author of authors) weight += weights.get(author) ?? 0;
  return weight;
}

/** The table that the common settled root commits to; before any round has settled, whoever voted then. */
function weightsAt(history: View, fork: number): ReadonlyMap<PeerId, number> {
  if (fork > 0) return history.tableAt(fork);
  let view = history;
  while (view.round > 1 && view.parents[0] !== undefined) view = view.parents[0].view;
  return view.voters();
}
