/**
 * History as seen from a set of parents: the inclusion rule (docs/design.md, section 4).
 *
 *   P        = the parents, all of round R-1
 *   S(R-1)   = P
 *   S(R-2)   = { x : weight of { d in P : x in parents(d) } >= 1/2 weight of P }
 *   S(r)     = S_a(r) for every r <= R-3: the history of a = anchor(P), inherited as it is
 *   anchor(P)= of the d in P whose parents hold >= 2/3 of the weight of S(R-2) (if none: of those that hold the
 *              most), the one that draws the least lot
 *
 * A view is a pure function of its parents and is shared: every contribution has the view of its own parents, and
 * older history is reached through the anchor's view, so a view costs one round, not a whole history.
 */
import type { ContributionId, PeerId, RunId } from "../core/index.ts";
import { type Accounts, NO_ACCOUNTS, type RoundWork, extendAccounts, tableBefore } from "./accounts.ts";
import type { Base } from "./base.ts";
import { type FoldTerm, foldTerms } from "./fold.ts";
import type { Header } from "./header.ts";
import type { Lineage } from "./lineage.ts";
import { type Lots, ticketsOf } from "./lot.ts";
import type { Roster } from "./roster.ts";
import type { Rule } from "./rule.ts";
import type { Sets } from "./sets.ts";
import { type CountedWork, type WeightOf, type WeightTable, countedTokens, countedWork } from "./weights.ts";

/** A header whose ancestors are all known. */
export interface Contribution {
  readonly id: ContributionId;
  readonly header: Header;
  /** The history that it builds on. */
  readonly view: View;
  /** The settled roots of that history, the one that it names itself on top. */
  readonly lineage: Lineage;
  /** Whose equivocation its evidence proves, sorted. */
  readonly convicts: readonly PeerId[];
  /** Its index among all of its round that were linked in this process. */
  readonly place: number;
  /** The number of its author in this process. */
  readonly authorNumber: number;
}

/** What every view of one phase shares. */
export interface PhaseContext {
  readonly run: RunId;
  readonly phase: number;
  readonly rule: Rule;
  readonly founders: readonly PeerId[];
  /** Of a later phase: who votes before a round of it has settled, instead of founders. */
  readonly firstVoters?: WeightTable;
}

export interface ViewContext extends PhaseContext {
  readonly lots: Lots;
  readonly roster: Roster;
  readonly sets: Sets;
  /** Before any round that is known. */
  readonly start: Lineage;
  readonly base: Base | undefined;
}

export class View {
  /** R: the round that builds on this view. */
  readonly round: number;
  /** P: one of the context's sets. */
  readonly parents: readonly Contribution[];
  readonly context: ViewContext;
  /** The settled roots that the parents name. */
  readonly lineage: Lineage;
  #parentIds: readonly ContributionId[] | undefined;
  #anchor: Contribution | undefined;
  #voted: readonly Contribution[] | undefined;
  #firstAuthors: ReadonlySet<PeerId> | undefined;
  #voters: WeightTable | undefined;
  /** Of the rounds up to R-2. */
  #accounts: Accounts | undefined;
  #workVoted: RoundWork | undefined;
  #tokensOfParents: number | undefined;
  readonly #weigh: WeightOf = (author) => this.weightOf(author);
  #termsVoted: readonly FoldTerm[] | undefined;
  #termsOfParents: readonly FoldTerm[] | undefined;

  constructor(
    context: ViewContext,
    { round, parents, lineage }: Pick<View, "round" | "parents" | "lineage">,
  ) {
    this.context = context;
    this.round = round;
    this.lineage = lineage;
    this.parents = parents;
  }

  /** Sorted; always the same array. */
  get parentIds(): readonly ContributionId[] {
    return (this.#parentIds ??= this.parents.map(({ id }) => id));
  }

  /** Rounds below this one are settled for contributions that build on this view. */
  get settledRound(): number {
    return settledRoundAt(this.round, this.context.rule);
  }

  /** S(r): the included contributions of round r < R, sorted by id. */
  included(round: number): readonly Contribution[] {
    if (round < 0 || round >= this.round) return [];
    if (round === this.round - 1) return this.parents;
    const view = this.#viewAt(round + 2);
    return view === undefined ? [] : view.voted();
  }

  /** Who is included in a round from `round` on. */
  authorsSince(round: number): Set<PeerId> {
    const authors = new Set<PeerId>();
    const add = (included: readonly Contribution[]): void => {
      for (const { header } of included) authors.add(header.author);
    };
    if (round < this.round) add(this.parents);
    for (let r = this.round - 2, view = this.#viewAt(this.round); r >= round && view !== undefined; r--) {
      add(view.voted());
      view = view.#viewAt(view.round - 1);
    }
    return authors;
  }

  /** The fold's terms for S(r): the same array whenever it is the same set. */
  terms(round: number): readonly FoldTerm[] {
    const { outerRate } = this.context.rule;
    if (round === this.round - 1)
      return (this.#termsOfParents ??= foldTerms(this.parents, outerRate, this.#judges(round)));
    const view = round < 0 || round >= this.round ? undefined : this.#viewAt(round + 2);
    if (view === undefined) return [];
    return (view.#termsVoted ??= foldTerms(view.voted(), outerRate, view.#judges(round)));
  }

  /** What counts of S(r). */
  counted(round: number): CountedWork[] {
    return countedWork(this.included(round), this.#judges(round));
  }

  /** By whose weight the median of S(r) goes: that of the table which S(r) itself names as settled. */
  #judges(round: number): WeightOf {
    const { founders, firstVoters, rule } = this.context;
    const tableRound = settledRoundAt(round, rule);
    // Before that, the first authors differ from view to view of one history; founders don't.
    if (tableRound === 0 && firstVoters !== undefined) return (author) => firstVoters.get(author) ?? 0;
    if (tableRound === 0) return (author) => (founders.length === 0 || founders.includes(author) ? 1 : 0);
    const table = this.tableAt(tableRound);
    return (author) => table.get(author) ?? 0;
  }

  /** S(R-2), elected by all parents; never two of one author. */
  voted(): readonly Contribution[] {
    this.#voted ??= this.context.sets.of(elect(this.parents, this.#weigh));
    return this.#voted;
  }

  /** The parent whose older history is inherited; undefined in the first two rounds, which have none. */
  anchor(): Contribution | undefined {
    if (this.round < (this.context.base?.round ?? 0) + 2) return undefined;
    this.#anchor ??= this.#drawAnchor();
    return this.#anchor;
  }

  /** Voting weight of an author for decisions of this view's round. */
  weightOf(author: PeerId): number {
    return this.voters().get(author) ?? 0;
  }

  /** Everybody who weighs anything in decisions of this view's round. */
  voters(): WeightTable {
    this.#voters ??= this.#findVoters();
    return this.#voters;
  }

  #findVoters(): WeightTable {
    return this.weightsAt(settledRoundAt(this.round - 1, this.context.rule));
  }

  /** Voting weights as of a settled round: its table; before any round has settled, who votes then. */
  weightsAt(settledRound: number): WeightTable {
    if (settledRound > 0) return this.tableAt(settledRound);
    const { founders, firstVoters, rule } = this.context;
    if (firstVoters !== undefined) return firstVoters;
    const first = this.#viewAt(Math.min(this.round, rule.settleDepth + 1)) ?? this;
    return new Map([...(founders.length > 0 ? founders : first.#authorsOfRoundZero())].map((a) => [a, 1]));
  }

  /** The table of voting weights that the settled root of this round commits to; `round` at most this view's settled round. */
  tableAt(round: number): WeightTable {
    const { base, rule } = this.context;
    if (base !== undefined && round < base.round) return tableBefore(base.accounts, base.round - round, rule);
    return this.accountsAt(round).table;
  }

  /** What the settled root of this round commits to, besides the weights. */
  accountsAt(round: number): Accounts {
    const view = this.#viewAt(round + 1);
    return view === undefined ? this.#firstAccounts : view.#accountsVoted();
  }

  /** Tokens of all rounds below R, counted as voting weight counts them. */
  includedTokens(): number {
    // Below S(R-2) everything is the anchor's, so the sum is kept along the anchors' views.
    this.#tokensOfParents ??= sum(countedTokens(this.parents, this.#judges(this.round - 1)).values());
    return this.#accountsVoted().tokens + this.#tokensOfParents;
  }

  /** Tokens of the settled rounds alone: they lag by the settle depth, but nothing changes them any more. */
  settledTokens(): number {
    return this.accountsAt(this.settledRound).tokens;
  }

  get #firstAccounts(): Accounts {
    return this.context.base?.accounts ?? NO_ACCOUNTS;
  }

  /** Of the rounds up to R-2. */
  #accountsVoted(): Accounts {
    const firstRound = this.context.base?.round ?? 0;
    const pending: View[] = [];
    let view = this.#viewAt(this.round);
    while (view !== undefined && view.round > firstRound + 1 && view.#accounts === undefined) {
      pending.push(view);
      view = view.anchor()?.view;
    }
    let accounts = (view !== undefined && view.#accounts) || this.#firstAccounts;
    for (const next of pending.reverse()) {
      accounts = extendAccounts(accounts, next.#roundWork(), this.context.rule);
      next.#accounts = accounts;
    }
    return accounts;
  }

  /** What S(R-2) adds to the accounts. */
  #roundWork(): RoundWork {
    const included = this.voted();
    this.#workVoted ??= {
      counted: countedTokens(included, this.#judges(this.round - 2)),
      voided: [...new Set(included.flatMap(({ convicts }) => convicts))].toSorted(),
    };
    return this.#workVoted;
  }

  /** The view of the given round on this view's chain of anchors. */
  #viewAt(round: number): View | undefined {
    // Settled history is the same for all parents, so it needs no anchor; the anchor's weights are read from it.
    const isSettled = round <= settledRoundAt(this.round - 1, this.context.rule) + 1;
    if (round === this.round) return this;
    let view = isSettled ? this.parents[0]?.view : this.anchor()?.view;
    while (view !== undefined && view.round > round) view = view.anchor()?.view;
    return view;
  }

  #drawAnchor(): Contribution | undefined {
    const { run, phase, lots } = this.context;
    const weight = votes(this.voted(), this.#weigh);
    // By place: where every peer cites others, this is the most that a large flock computes.
    const weights: number[] = [];
    for (const c of this.voted()) weights[c.place] = weight(c);
    const total = sum(this.voted().map(weight));
    const heldBy = memo((view: View) => sum(view.parents.map(({ place }) => weights[place] ?? 0)));
    const held = this.parents.map((d) => heldBy(d.view));
    const most = Math.max(...held);
    const holdsEnough = (h: number): boolean => (3 * most >= 2 * total ? 3 * h >= 2 * total : h === most);
    const candidates = this.parents.filter((_, i) => holdsEnough(held[i] as number));
    const heaviest = Math.max(...this.parents.map((d) => this.weightOf(d.header.author)));
    return lots.draw(
      candidates.map((c) => ({
        item: c,
        author: c.header.author,
        tickets: ticketsOf(this.weightOf(c.header.author), heaviest),
      })),
      { run, phase, round: this.round - 1 },
    );
  }

  #authorsOfRoundZero(): ReadonlySet<PeerId> {
    this.#firstAuthors ??= new Set(
      this.round <= 1
        ? this.parents.map((c) => c.header.author)
        : this.parents.flatMap((c) => [...c.view.#authorsOfRoundZero()]),
    );
    return this.#firstAuthors;
  }
}

/** Rounds below this one are settled in a contribution of the given round. */
export function settledRoundAt(round: number, rule: Rule): number {
  return Math.max(0, round - rule.settleDepth);
}

/** The x cited by at least half the weight of P. */
function elect(parents: readonly Contribution[], weightOf: WeightOf): Contribution[] {
  const weight = votes(parents, weightOf);
  const total = sum(parents.map(weight));
  // Most parents share a view, so weights are first summed by view.
  const behind = new Map<View, number>();
  for (const d of parents) behind.set(d.view, (behind.get(d.view) ?? 0) + weight(d));
  const cited: Contribution[] = [];
  /** By place, since all cited are of one round. */
  const support: number[] = [];
  for (const [view, w] of behind) {
    for (const x of view.parents) {
      const known = support[x.place];
      if (known === undefined) cited.push(x);
      support[x.place] = (known ?? 0) + w;
    }
  }
  return cited.filter(({ place }) => 2 * (support[place] as number) >= total);
}

/** Each contribution's vote: its author's weight, or one each where none of them weighs anything yet. */
function votes(voters: readonly Contribution[], weightOf: WeightOf): (voter: Contribution) => number {
  const nobodyWeighs = voters.every((d) => weightOf(d.header.author) === 0);
  return nobodyWeighs ? () => 1 : (d) => weightOf(d.header.author);
}

function memo<K, V>(compute: (key: K) => V): (key: K) => V {
  const known = new Map<K, V>();
  return (key) => {
    const value = known.get(key) ?? compute(key);
    known.set(key, value);
    return value;
  };
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const n of numbers) total += n;
  return total;
}
