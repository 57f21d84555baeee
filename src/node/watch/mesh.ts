/** The network around a node: whom it is connected to, who else has published lately, and who cited whom. */
import type { ContributionGraph, View } from "../../consensus/index.ts";
import type { ContributionId, PeerId } from "../../core/index.ts";
import type { Mesh, MeshPeer } from "../../dashboard/index.ts";
import type { PeerLink, Swarm } from "../../gossip/index.ts";

/** Guess: more dots than that are no picture any more; a phase has at most some 64 contributors. */
const PEERS_MAX = 96;
/** Rounds back that count as lately. Guess. */
const LATELY_ROUNDS = 4;

export interface MeshParts {
  readonly self: PeerId;
  readonly swarm: Swarm;
  readonly topic: string;
  /** Undefined before there is any history. */
  readonly history?: { readonly graph: ContributionGraph; readonly view: View };
}

export function meshOf({ self, swarm, topic, history }: MeshParts): Mesh {
  const links = new Map(swarm.links().map((link) => [link.peer, link]));
  const neighbours = new Set(swarm.mesh(topic));
  const newest = history === undefined ? new Map<PeerId, number>() : newestRounds(history.graph);
  const shares = history === undefined ? new Map<PeerId, number>() : weightShares(history.view);
  const peers = [...new Set([...links.keys(), ...newest.keys()])]
    .filter((peer) => peer !== self)
    .sort()
    .slice(0, PEERS_MAX);
  return {
    peers: peers.map((peer) => peerOf(peer, { link: links.get(peer), neighbours, newest, shares })),
    citations: history === undefined ? [] : citationsOf(history, [...peers], self),
  };
}

function peerOf(
  peer: PeerId,
  o: {
    link: PeerLink | undefined;
    neighbours: ReadonlySet<PeerId>;
    newest: ReadonlyMap<PeerId, number>;
    shares: ReadonlyMap<PeerId, number>;
  },
): MeshPeer {
  return {
    peerId: peer,
    connected: o.link !== undefined,
    neighbour: o.neighbours.has(peer),
    address: o.link?.address ?? null,
    inbound: o.link?.inbound ?? false,
    pingMs: o.link?.pingMs ?? null,
    round: o.newest.get(peer) ?? null,
    weightShare: o.shares.get(peer) ?? 0,
  };
}

/** The newest round of each author who has published in the last few. */
function newestRounds(graph: ContributionGraph): Map<PeerId, number> {
  const newest = new Map<PeerId, number>();
  const last = graph.roundsCount - 1;
  for (let round = Math.max(0, last - LATELY_ROUNDS + 1); round <= last; round++)
    for (const { header } of graph.round(round)) newest.set(header.author, round);
  return newest;
}

/** Each author's part of all voting weight. */
export function weightShares(view: View): Map<PeerId, number> {
  const voters = view.voters();
  const total = [...voters.values()].reduce((sum, weight) => sum + weight, 0);
  return new Map([...voters].map(([author, weight]) => [author, total === 0 ? 0 : weight / total]));
}

/** The parents of the round in work are the newest full round: whom did each of them cite? */
function citationsOf(
  { graph, view }: NonNullable<MeshParts["history"]>,
  peers: readonly PeerId[],
  self: PeerId,
): [number, number][] {
  const places = new Map(peers.map((peer, i) => [peer, i]));
  places.set(self, -1);
  const authorOf = (id: ContributionId): PeerId | undefined => graph.get(id)?.header.author;
  const pairs: [number, number][] = [];
  for (const { header } of view.parents) {
    const from = places.get(header.author);
    for (const parent of header.parents) {
      const author = authorOf(parent);
      const to = author === undefined ? undefined : places.get(author);
      if (from !== undefined && to !== undefined && from !== to) pairs.push([from, to]);
    }
  }
  return pairs;
}
