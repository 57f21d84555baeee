/**
 * Every name that peers must agree on. The run is part of every name that only its own peers may answer, so that
 * two runs which meet (a shared bootstrap, one LAN) pass each other by.
 */
import type { RunId } from "../core/index.ts";

/** Blocks are named by content, so any run may serve them. */
export const BLOCKS_PROTOCOL = "/starling/1/blocks";
export const HAVE_PROTOCOL = "/starling/1/have";
export const SYNC_PROTOCOL = "/starling/1/sync";
/** Of no run: what a node says of the run that it works on, to whoever asks. */
export const PRESENCE_PROTOCOL = "/starling/1/presence";
/** One hash table for the nodes of all open runs, beside each run's own (rendezvous.ts). */
export const RENDEZVOUS_DHT_PROTOCOL = "/starling/kad/1.0.0";
/** Of its pings, as libp2p's ping wants it. */
export const RENDEZVOUS_PING_PREFIX = "starling";
/** What nodes of open runs provide there: the sha2-256 of these bytes. */
export const RENDEZVOUS_NAME = "starling/1/runs";

/** Phases whose topics a node knows. Guess: a ladder has at most seven rungs; successors add some. */
export const PHASES_MAX = 64;

/** Of all of this room's protocols: nodes of different versions do not talk. */
export const PROTOCOL_VERSION = 1;

/** A peer that speaks any protocol under this prefix is a peer of the run. */
export function runPrefix(run: RunId): string {
  return `/starling/${PROTOCOL_VERSION}/${run}/`;
}

/** The version in which a protocol is one of the run's; undefined: it is none of it. */
export function versionIn(protocol: string, run: RunId): number | undefined {
  const [, name, version, ofRun] = protocol.split("/");
  if (name !== "starling" || ofRun !== run || !/^[1-9]\d{0,5}$/.test(version ?? "")) return undefined;
  return Number(version);
}

export function dhtProtocol(run: RunId): string {
  return `${runPrefix(run)}kad/1.0.0`;
}

/** As libp2p's ping wants it: it adds the slashes and `/ping/1.0.0`. */
export function pingPrefix(run: RunId): string {
  return `starling/${PROTOCOL_VERSION}/${run}`;
}

/** The service name on the LAN; a DNS label holds 63 characters, so only the run's last 32. */
export function mdnsTag(run: RunId): string {
  return `_starling-${run.slice(-32)}._udp.local`;
}

/** Headers of one phase's contributions. */
export function contributionsTopic(run: RunId, phase: number): string {
  return `${runPrefix(run)}phase/${phase}/contributions`;
}

/** Signed verdicts of one phase's audits and gates. */
export function verdictsTopic(run: RunId, phase: number): string {
  return `${runPrefix(run)}phase/${phase}/verdicts`;
}

/** Who is here, for people to look at; nothing is decided by it. */
export function presenceTopic(run: RunId): string {
  return `${runPrefix(run)}presence`;
}

/** Every topic of a run: what may be subscribed to, scored and remembered is bounded by this list. */
export function topicsOf(run: RunId): string[] {
  const phases = Array.from({ length: PHASES_MAX }, (_, phase) => phase);
  return [
    presenceTopic(run),
    ...phases.flatMap((phase) => [contributionsTopic(run, phase), verdictsTopic(run, phase)]),
  ];
}
