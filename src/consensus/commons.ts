/**
 * What graphs of one phase compute alike: contributions linked to their parents, views, lots. A graph has its own; a
 * process that runs hundreds of graphs gives all of them one, and computes each thing once. Nothing in it depends on
 * who holds what, so sharing it changes no result.
 */
import type { ContributionId, Refused } from "../core/index.ts";
import { lineageOfBase } from "./base.ts";
import { type PhaseOptions, misfitAlone } from "./fit.ts";
import type { Header } from "./header.ts";
import { Lineage } from "./lineage.ts";
import { Lots } from "./lot.ts";
import { Roster } from "./roster.ts";
import { Sets } from "./sets.ts";
import { type Contribution, View, type ViewContext } from "./view.ts";

export class Commons {
  readonly context: ViewContext;
  readonly #options: PhaseOptions;
  /** What is wrong with each header by itself. */
  readonly #misfits = new WeakMap<Header, Refused | "none">();
  readonly #views = new Map<readonly Contribution[], View>();
  /** Those without parents, in the first round or where all contradicted themselves. */
  readonly #emptyViews: View[] = [];
  readonly #linked = new Map<ContributionId, Contribution>();
  /** How many are linked of each round. */
  readonly #places: number[] = [];

  readonly roster: Roster = new Roster();
  /** What all linked contributions agree with. */
  readonly tip: Lineage;

  constructor(options: PhaseOptions) {
    this.#options = options;
    const { run, phase, rule, founders, firstVoters, startSettled, base } = options;
    const start = new Lineage(0, startSettled);
    const { first, tip } = base === undefined ? { first: start, tip: start } : lineageOfBase(base, rule);
    const known = firstVoters === undefined ? {} : { firstVoters };
    const shared = { lots: new Lots(), roster: this.roster, sets: new Sets() };
    this.context = { run, phase, rule, founders, ...known, ...shared, start: first, base };
    this.tip = tip;
  }

  /** The view from these parents; most contributions of a round cite the same ones and share it. */
  view(round: number, parents: readonly Contribution[]): View {
    const set = this.context.sets.of(parents);
    const lineage = parents[0]?.lineage ?? this.context.start;
    const known =
      set.length > 0
        ? this.#views.get(set)
        : this.#emptyViews.find((view) => view.round === round && view.lineage === lineage);
    if (known !== undefined) return known;
    const view = new View(this.context, { round, parents: set, lineage });
    if (set.length > 0) this.#views.set(set, view);
    else this.#emptyViews.push(view);
    return view;
  }

  /** What is wrong with a header by itself. */
  misfitOf(header: Header): Refused | undefined {
    const known = this.#misfits.get(header) ?? misfitAlone(header, this.#options) ?? "none";
    this.#misfits.set(header, known);
    return known === "none" ? undefined : known;
  }

  /** A contribution that some graph has linked: its header fits its parents. */
  linked(id: ContributionId): Contribution | undefined {
    return this.#linked.get(id);
  }

  link(fit: Omit<Contribution, "place" | "authorNumber">): Contribution {
    const { round, author } = fit.header;
    while (this.#places.length <= round) this.#places.push(0);
    const place = this.#places[round] as number;
    this.#places[round] = place + 1;
    const contribution = { ...fit, place, authorNumber: this.roster.numberOf(author) };
    this.#linked.set(contribution.id, contribution);
    return contribution;
  }
}
