/** Headers on their way in: the same checks whether they come by gossip, in a peer's answer or from our disk. */
import {
  type Contribution,
  type ContributionGraph,
  type Effect,
  type Header,
  encodeHeader,
} from "../../consensus/index.ts";
import { type ContributionId, type Verdict, accept, ignore } from "../../core/index.ts";
import type { Store } from "../../storage/index.ts";
import { verifyHeader } from "../keys/identity.ts";

/** Headers of so many rounds back are still passed on: a slow node's are. Guess; sync asks for the last three. */
const FORWARD_ROUNDS = 3;

export interface HeaderIntakeDeps {
  /** Of what has its parents. */
  readonly graph: Pick<ContributionGraph, "get">;
  /** The round being worked on. */
  roundNow(): number;
  /** Tells the machine, and answers with what it asks for. */
  take(id: ContributionId, header: Header): readonly Effect[];
}

export class HeaderIntake {
  readonly #deps: HeaderIntakeDeps;

  constructor(deps: HeaderIntakeDeps) {
    this.#deps = deps;
  }

  /** The value is the header's round, whether it was known or not: that is what a sync wants to know. */
  async receive(bytes: Uint8Array): Promise<Verdict<number>> {
    const taken = await this.#take(bytes);
    return taken.kind === "accept" ? accept(taken.value.round) : taken;
  }

  /**
   * From gossip: what is accepted here is forwarded. A header whose parents we lack is not, or one peer's inventions would
   * travel on with us as their sender; nor is one of long ago, which somebody only plays again.
   */
  async hear(bytes: Uint8Array): Promise<Verdict<number>> {
    const taken = await this.#take(bytes);
    if (taken.kind !== "accept") return taken;
    const { id, round } = taken.value;
    if (this.#deps.graph.get(id) === undefined)
      return ignore("HEADER_WAITING", "expected parents that we hold");
    const oldest = this.#deps.roundNow() - FORWARD_ROUNDS;
    if (round < oldest) return ignore("HEADER_OLD", `expected a header of round ${oldest} or later`);
    return accept(round);
  }

  async #take(bytes: Uint8Array): Promise<Verdict<{ id: ContributionId; round: number }>> {
    const verified = await verifyHeader(bytes);
    if (verified.kind !== "accept") return verified;
    const { id, header } = verified.value;
    for (const effect of this.#deps.take(id, header))
      // To have a header already is no fault.
      if (effect.kind === "refuse" && effect.id === id && effect.why.code !== "HEADER_KNOWN")
        return effect.why;
    return accept({ id, round: header.round });
  }
}

/** To our disk, byte for byte as it was signed. */
export async function keepHeader(
  { contributions }: Pick<Store, "contributions">,
  { id, header }: Contribution,
): Promise<void> {
  const { sig, ...unsigned } = header;
  const { bytes } = encodeHeader(unsigned, sig);
  await contributions.put({ phase: header.phase, round: header.round, id, bytes });
}
