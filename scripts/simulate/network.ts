/**
 * The network between simulated nodes: it delays, loses, doubles, reorders and parts. Loss is repaired as by the real
 * node: missing parents are asked for, bodies pulled from the author and then from anybody, and every so often a node
 * asks one peer for the last rounds.
 */
import type { ContributionId } from "../../src/core/index.ts";
import type { SeededRandom } from "../../src/core/index.ts";
import type { Agenda } from "./agenda.ts";
import type { FlockNode } from "./flock-node.ts";
import type { Message, Parcel } from "./parcel.ts";

export interface NetworkConditions {
  readonly latencyMs: { readonly min: number; readonly max: number };
  readonly lossShare: number;
  readonly duplicateShare: number;
  /** What every message about a node's contributions takes longer on its way to a node. */
  readonly lagMs: (maker: number, to: number) => number;
  readonly syncIntervalMs: number;
}

export interface Traffic {
  messages: number;
  bytes: number;
}

/**
 * Messages come in at multiples of this: what comes to one node together is handled together, while its maps are in
 * the processor's cache.
 */
const MOMENT_MS = 20;
/** Rounds that a look back covers, as in the real node. */
const LOOK_BACK_ROUNDS = 3;
/** Headers that a look back brings: a page of 1 MiB of the real node holds about so many of 64 parents. */
const LOOK_BACK_MAX = 512;
/** Peers that are asked for one thing before the next look back. */
const HOLDERS_ASKED_MAX = 4;

export class Network {
  readonly nodes: FlockNode[] = [];
  /** All that anybody ever made. */
  readonly parcels: Map<ContributionId, Parcel> = new Map();
  /** All that was delivered, duplicates too. */
  readonly traffic: Traffic = { messages: 0, bytes: 0 };
  readonly #conditions: NetworkConditions;
  readonly #agenda: Agenda;
  readonly random: SeededRandom;
  /** For each node, what is on its way to it, by when it comes. */
  readonly #inboxes: Map<number, Message[]>[] = [];
  /** Group of each node; messages stay within groups. */
  #groups: readonly number[] | undefined;

  constructor(conditions: NetworkConditions, agenda: Agenda, random: SeededRandom) {
    this.#conditions = conditions;
    this.#agenda = agenda;
    this.random = random;
  }

  /** `part([0, 0, 1, 1])` keeps two and two apart; `part(undefined)` heals. */
  part(groups: readonly number[] | undefined): void {
    this.#groups = groups;
  }

  /** Whether messages pass between two running nodes. */
  reaches(from: FlockNode, to: FlockNode): boolean {
    return from !== to && from.isUp && to.isUp && this.groupOf(from.index) === this.groupOf(to.index);
  }

  groupOf(index: number): number {
    return this.#groups?.[index] ?? 0;
  }

  broadcast(from: FlockNode, parcel: Parcel): void {
    for (const to of this.nodes) this.send(from, to, parcel);
  }

  send(from: FlockNode, to: FlockNode, parcel: Parcel): void {
    if (!this.reaches(from, to)) return;
    if (!this.#happens(this.#conditions.lossShare)) this.#deliver(to, parcel);
    if (this.#happens(this.#conditions.duplicateShare)) this.#deliver(to, parcel);
  }

  /** Headers by id, from somebody who has them. */
  want(node: FlockNode, ids: readonly ContributionId[]): void {
    for (const id of ids) {
      const holder = this.#findHolder(node, undefined, (peer) => peer.has(id));
      if (holder !== undefined) this.#give(holder, node, id);
    }
  }

  /** A body, from its maker or from somebody who has it; whether it is on its way. */
  pull(node: FlockNode, id: ContributionId): boolean {
    const parcel = this.parcels.get(id);
    if (parcel === undefined) return false;
    const holder = this.#findHolder(
      node,
      parcel.maker,
      (peer) => peer.holds(id) && peer.serves(parcel, node),
    );
    if (holder === undefined || this.#happens(this.#conditions.lossShare)) return false;
    this.#put(node, parcel.asBody);
    return true;
  }

  syncForEver(node: FlockNode): void {
    this.#agenda.in(this.#conditions.syncIntervalMs * (0.5 + this.random.unit()), () => {
      const peer = this.#peerOf(node);
      if (peer !== undefined) this.#sync(node, peer);
      this.syncForEver(node);
    });
  }

  /** What one peer has of the last rounds and we have not, missing parents, and the bodies that we still lack. */
  #sync(node: FlockNode, peer: FlockNode): void {
    for (const id of node.machine.graph.missing()) if (peer.has(id)) this.#give(peer, node, id);
    for (const id of newTo(node, peer)) this.#give(peer, node, id);
    for (const id of node.lacking) if (node.holds(id) || this.pull(node, id)) node.lacking.delete(id);
  }

  #give(from: FlockNode, to: FlockNode, id: ContributionId): void {
    const parcel = this.parcels.get(id);
    if (parcel === undefined || !from.serves(parcel, to)) return;
    if (!this.#happens(this.#conditions.lossShare)) this.#deliver(to, parcel);
  }

  #deliver(to: FlockNode, parcel: Parcel): void {
    this.#put(to, parcel.asHeader);
  }

  #put(to: FlockNode, message: Message): void {
    const { nowMs } = this.#agenda;
    const atMs = Math.ceil((nowMs + this.#delayMs(to, message.parcel)) / MOMENT_MS) * MOMENT_MS;
    const inbox = this.#inboxes[to.index] ?? new Map<number, Message[]>();
    this.#inboxes[to.index] = inbox;
    const messages = inbox.get(atMs);
    if (messages !== undefined) {
      messages.push(message);
      return;
    }
    const first = [message];
    inbox.set(atMs, first);
    this.#agenda.in(atMs - nowMs, () => {
      inbox.delete(atMs);
      for (const one of first) this.#hand(to, one);
    });
  }

  #hand(to: FlockNode, { parcel, part, bytes }: Message): void {
    this.traffic.messages += 1;
    this.traffic.bytes += bytes;
    if (!to.isUp) return;
    if (part === "header") to.takeHeader(parcel);
    else to.takeBody(parcel);
  }

  /** `first`, or else one of a few peers at random. */
  #findHolder(
    node: FlockNode,
    first: number | undefined,
    has: (peer: FlockNode) => boolean,
  ): FlockNode | undefined {
    const maker = first === undefined ? undefined : this.nodes[first];
    if (maker !== undefined && this.reaches(maker, node) && has(maker)) return maker;
    for (let i = 0; i < HOLDERS_ASKED_MAX; i++) {
      const peer = this.#peerOf(node);
      if (peer !== undefined && has(peer)) return peer;
    }
    return undefined;
  }

  /** A running peer that is reached, at random; undefined where none is found soon. */
  #peerOf(node: FlockNode): FlockNode | undefined {
    for (let i = 0; i < 2 * HOLDERS_ASKED_MAX; i++) {
      const peer = this.nodes[this.random.below(this.nodes.length)];
      if (this.reaches(peer, node)) return peer;
    }
    return undefined;
  }

  #delayMs(to: FlockNode, { maker }: Parcel): number {
    const { latencyMs, lagMs } = this.#conditions;
    return latencyMs.min + (latencyMs.max - latencyMs.min) * this.random.unit() + lagMs(maker, to.index);
  }

  #happens(share: number): boolean {
    return share > 0 && this.random.unit() < share;
  }
}

/** What the peer has of the last rounds and later ones, oldest first. */
function newTo(node: FlockNode, peer: FlockNode): ContributionId[] {
  const ids: ContributionId[] = [];
  const { graph } = peer.machine;
  // Who holds fewer rounds may hold another history, and the heavier one.
  const newestRound = Math.min(node.machine.round, graph.roundsCount);
  for (let r = Math.max(0, newestRound - LOOK_BACK_ROUNDS); r < graph.roundsCount; r++) {
    for (const c of graph.round(r)) if (!node.machine.graph.knows(c)) ids.push(c.id);
    if (ids.length >= LOOK_BACK_MAX) break;
  }
  return ids.slice(0, LOOK_BACK_MAX);
}
