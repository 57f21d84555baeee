/** `starling top`: one or many nodes as a table that is redrawn, until Ctrl-C. A node is a data folder, or a dashboard's URL. */
import { basename, resolve } from "node:path";
import { StarlingError, messageOf, pause, systemClock } from "../../core/index.ts";
import { type NodeState, type Snapshot, connectControl } from "../../node/index.ts";
import { createLiveView } from "../live-view.ts";
import { onStopSignal } from "../signals.ts";
import type { ShownStatus, WatchedNode } from "../table.ts";

/** Guess: a node that takes longer is as good as gone for somebody who watches. */
const ANSWER_MS_MAX = 5_000;
/** Guess: lines on a large screen. */
const NODES_MAX = 256;
/** Of a snapshot, far above its bounds. */
const SNAPSHOT_BYTES_MAX = 16 * 1024 * 1024;

export interface TopArguments {
  readonly data: string;
  readonly interval: number;
  readonly once: boolean;
}

export async function top(places: readonly string[], { data, interval, once }: TopArguments): Promise<void> {
  const watched = places.length === 0 ? [data] : places;
  if (watched.length > NODES_MAX) {
    const message = `expected at most ${NODES_MAX} nodes, got ${watched.length}; name fewer`;
    throw new StarlingError("TOP_TOO_MANY", message);
  }
  const stopping = new AbortController();
  using _signals = onStopSignal(() => stopping.abort());
  const view = createLiveView(process.stdout, process.env);
  // Somebody who mistyped a folder should not watch nothing; a table has lines for those who are not there.
  let isSomebody = false;
  let isSaid = false;
  let last: readonly (ShownStatus | null)[] = [];
  try {
    do {
      const now = await Promise.all(watched.map(look));
      if (stopping.signal.aborted) break;
      // Who does not answer is shown as it was, and dead.
      last = now.map((status, i) => status ?? last[i] ?? null);
      isSomebody ||= last.some((status) => status !== null);
      if (!isSomebody && once) throw nobody(watched);
      if (!isSomebody && !isSaid && !process.stdout.isTTY)
        process.stderr.write(`waiting for a node on ${watched.join(", ")}\n`);
      isSaid = true;
      view.show(watched.map((place, i) => nodeOf(place, now[i] ?? null, last[i] ?? null)));
    } while (!once && (await pause(systemClock, 1000 * interval, stopping.signal)));
  } finally {
    view.close();
  }
}

function nobody(watched: readonly string[]): StarlingError {
  const message = `expected a node that runs on ${watched.join(", ")}, found none; name its folder, or start one`;
  return new StarlingError("NOT_RUNNING", message);
}

function nodeOf(place: string, now: ShownStatus | null, last: ShownStatus | null): WatchedNode {
  const name = isUrl(place) ? new URL(place).host : basename(resolve(place));
  return { name, alive: now !== null, status: last };
}

function isUrl(place: string): boolean {
  return /^https?:\/\//.test(place);
}

/** Null: it does not answer. */
async function look(place: string): Promise<ShownStatus | null> {
  try {
    if (isUrl(place)) return await lookAtPage(place);
    return (await (await connectControl(place))?.status()) ?? null;
  } catch (error) {
    // A wrong address is the caller's to know; a node that is gone, or not there yet, is what one watches for.
    if (error instanceof StarlingError && error.code === "TOP_NO_NODE") throw error;
    return null;
  }
}

async function lookAtPage(place: string): Promise<ShownStatus> {
  const response = await fetch(new URL("api/snapshot", place.endsWith("/") ? place : `${place}/`), {
    signal: AbortSignal.timeout(ANSWER_MS_MAX),
  });
  const text = await response.text();
  if (response.ok && text.length <= SNAPSHOT_BYTES_MAX) return statusOf(parsed(text, place));
  const why = `expected a node's dashboard at ${place}, got ${response.status}: ${text.slice(0, 200)}`;
  throw new StarlingError("TOP_NO_NODE", why);
}

function parsed(text: string, place: string): Snapshot {
  try {
    return JSON.parse(text) as Snapshot;
  } catch (error) {
    // Translated: says which address is not a node's.
    const message = `expected a node's dashboard at ${place}: ${messageOf(error)}`;
    throw new StarlingError("TOP_NO_NODE", message, { cause: error });
  }
}

function statusOf({ node, phase, phases, round, settled, loss, mesh, own, host }: Snapshot): ShownStatus {
  return {
    state: node.state as NodeState,
    phase,
    tokensTotal: phases[phase]?.tokensDone ?? 0,
    // A page does not say who goes on.
    ladder: {
      phasesCount: phases.length,
      tokensBudget: phases[phase]?.tokensBudget ?? 1,
      rank: null,
      seats: null,
      leftBehindWhy: null,
    },
    round,
    settled,
    lossNats: loss.trainingNats,
    validationLossNats: loss.validationNats,
    peersCount: mesh.peers.filter(({ connected }) => connected).length,
    contributionsPublished: own.published,
    contributionsIncluded: own.included,
    bytesIn: host.bytesIn,
    bytesOut: host.bytesOut,
    tokensPerSecond: host.tokensPerSecond,
  };
}
