/** Readers of option values. What they throw, commander prints as a usage error beside the option's name. */
import { InvalidArgumentError } from "commander";
import { type Cid, parseCid } from "../core/index.ts";
import type { Hours } from "../node/index.ts";

/** A whole number in [min, max]. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Expected a whole number from ${min} to ${max}.`);
  };
}

/** A number in [min, max]. */
export function number(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== "" && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Expected a number from ${min} to ${max}.`);
  };
}

/** A number between 0 and 1, neither of them. */
export function share(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value > 0 && value < 1) return value;
  throw new InvalidArgumentError("Expected a share between 0 and 1, such as 0.1.");
}

/** Collects CIDs. */
export function cids(text: string, previous: Cid[]): Cid[] {
  if (parseCid(text) !== undefined) return [...previous, text as Cid];
  throw new InvalidArgumentError("Expected a CID such as bafkrei….");
}

/** A CID, or null for `none`. */
export function cidOrNone(text: string): Cid | null {
  if (text === "none") return null;
  if (parseCid(text) !== undefined) return text as Cid;
  throw new InvalidArgumentError("Expected a CID such as bafkrei…, or none.");
}

export interface RoundRange {
  readonly first: number;
  readonly last: number;
}

/** `7`, or `5-9` with both ends in it. */
export function roundRange(text: string): RoundRange {
  const match = /^(\d{1,10})(?:-(\d{1,10}))?$/.exec(text);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (first <= last) return { first, last };
  throw new InvalidArgumentError("Expected a round such as 7, or rounds such as 5-9.");
}

/** Collects an option that may be given several times; a value may also hold several, separated by commas. */
export function multiaddrs(text: string, previous: string[]): string[] {
  const addresses = text.split(",").map((part) => part.trim());
  const wrong = addresses.find((address) => !/^\/\w+(\/[^/]+)+$/.test(address));
  if (wrong === undefined) return [...previous, ...addresses];
  throw new InvalidArgumentError("Expected a multiaddr such as /ip4/192.0.2.7/tcp/4001/p2p/12D3KooW….");
}

/** `all`, or the indices of devices: `0,1`. */
export function deviceList(text: string): "all" | number[] {
  if (text === "all") return "all";
  const indices = text.split(",");
  if (indices.every((index) => /^\d{1,3}$/.test(index))) return indices.map(Number);
  throw new InvalidArgumentError("Expected all, or devices such as 0,1.");
}

/** `22-7`: from 22:00 up to 7:00, local time. */
export function hours(text: string): Hours {
  const match = /^(\d{1,2})-(\d{1,2})$/.exec(text);
  const [from, until] = [Number(match?.[1]), Number(match?.[2])];
  if (from < 24 && until <= 24 && from !== until) return { from, until };
  throw new InvalidArgumentError("Expected hours of the day such as 22-7.");
}

const UNITS: Readonly<Record<string, number>> = { "": 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12 };

/** Bytes: `500kB`, `2.5 MB`, `200GB`, powers of 1000; at least 1. */
export function byteCount(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kMGT]?)B?$/.exec(text);
  const value = Math.round(Number(match?.[1]) * (UNITS[match?.[2] ?? ""] ?? Number.NaN));
  if (value >= 1) return value;
  throw new InvalidArgumentError("Expected a size such as 500kB or 200GB.");
}

export interface ListenAddress {
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
}

/** `127.0.0.1:4780`, `[::1]:4780`, or only a port of this machine. */
export function listenAddress(text: string): ListenAddress {
  const match = /^(?:(\[[\da-fA-F:.]+\]|[\w.-]+):)?(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (port <= 65_535) return { host: (match?.[1] ?? "127.0.0.1").replace(/^\[|\]$/g, ""), port };
  throw new InvalidArgumentError("Expected an address such as 127.0.0.1:4780, or a port.");
}

/** An author: an Ed25519 peer id, which always begins so. */
export function author(text: string): string {
  if (/^12D3KooW[1-9A-HJ-NP-Za-km-z]{44}$/.test(text)) return text;
  throw new InvalidArgumentError("Expected a peer id such as 12D3KooW….");
}

export function authors(text: string, previous: string[]): string[] {
  return [...previous, author(text)];
}

/** The same, or `self`. */
export function founders(text: string, previous: string[]): string[] {
  return [...previous, text === "self" ? text : author(text)];
}

/** Collects an option that may be given several times. */
export function paths(text: string, previous: string[]): string[] {
  return [...previous, text];
}

/** Any seed that a manifest can hold. */
export const SEED_MAX: number = 2 ** 32 - 1;
/** Guess: more rounds than a run of years has. */
export const ROUNDS_MAX: number = 1_000_000;
