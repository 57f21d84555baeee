/**
 * A settled state out of the network: every peer is asked where its record is, the record must hash to the root that the
 * run's address names, and the weights' blocks must hash to the root that the record names, the list of them first. All
 * of it comes from everybody who has it at once; what is wrong costs one attempt with another record. The roots before it, which
 * the root does not cover, are compared with those that signed headers go back to.
 */
import {
  type Cid,
  type Clock,
  type ContributionId,
  type Logger,
  type PeerId,
  type RunId,
  StarlingError,
  messageOf,
} from "../../core/index.ts";
import { type Header, type Rule, idOf, rootsNamedBefore } from "../../consensus/index.ts";
import type { Swarm } from "../../gossip/index.ts";
import { type BlockStore, type PullOptions, bodyBlocks, pullBlocks, pullBody } from "../../storage/index.ts";
import { verifyHeader } from "../keys/identity.ts";
import { saidProgress } from "../data/said-progress.ts";
import { BASE_BYTES_MAX, type BaseRecord, decodeBase } from "./base-record.ts";
import type { SettledName } from "./run-address.ts";

const RETRY_MS = 500;
const ASK_MS_MAX = 10_000;
/** Of headers, of one peer: a mebibyte each, which is 300 headers of 64 parents. Guess: some rounds more than are asked for. */
const PAGES_MAX = 8;
/** Of all peers. Guess: 64 members and 16 rounds, some times over. */
const HEADERS_MAX = 8192;
/** For so long nobody may know the root before it is called wrong: one liar may be the first that we meet. Guess. */
const DOUBT_MS = 10_000;

export interface PullBaseDeps {
  readonly run: RunId;
  readonly rule: Rule;
  readonly wanted: SettledName;
  /** 4 P. */
  readonly weightsBytes: number;
  readonly swarm: Pick<Swarm, "peers" | "requestState" | "requestHeaders" | "fetchBlocks">;
  readonly blocks: BlockStore;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

export interface PulledBase {
  readonly record: BaseRecord;
  /** As it came. */
  readonly bytes: Uint8Array;
}

/**
 * The record, once it and all the weights' blocks are on the disk. Undefined: the peers' history goes on from this
 * state, but nobody holds it any more. Throws `ADDRESS_OTHER_HISTORY` when they follow others only.
 */
export async function pullBase(deps: PullBaseDeps): Promise<PulledBase | undefined> {
  const { clock, signal } = deps;
  for (let doubtMs: number | undefined; ;) {
    signal.throwIfAborted();
    const holders = await findRecords(deps);
    for (const [cid, peers] of holders) {
      const pulled = await pullOne(deps, cid, peers);
      if (pulled !== undefined) return pulled;
    }
    if (holders.length === 0) {
      const known = await rootsKnown(deps);
      if (known.has(deps.wanted.root)) return undefined;
      if (known.size > 0) doubtMs ??= clock.nowMs();
      if (doubtMs !== undefined && clock.nowMs() - doubtMs > DOUBT_MS) throw otherHistory(deps.wanted, known);
    }
    await clock.sleep(RETRY_MS, signal);
  }
}

/** One look around; undefined: none of the peers can give it now. */
export async function tryBase(deps: PullBaseDeps): Promise<PulledBase | undefined> {
  for (const [cid, peers] of await findRecords(deps)) {
    const pulled = await pullOne(deps, cid, peers);
    if (pulled !== undefined) return pulled;
  }
  return undefined;
}

/** Bodies that peers say are the record, those of the most peers first. */
async function findRecords(deps: PullBaseDeps): Promise<[Cid, PeerId[]][]> {
  const { swarm, wanted } = deps;
  const holders = new Map<Cid, PeerId[]>();
  await fromEach(deps, async (peer, signal) => {
    const cid = await swarm.requestState(peer, wanted, { signal });
    if (cid !== undefined) holders.set(cid, [...(holders.get(cid) ?? []), peer]);
  });
  return [...holders].toSorted((a, b) => b[1].length - a[1].length);
}

async function pullOne(
  deps: PullBaseDeps,
  cid: Cid,
  holders: readonly PeerId[],
): Promise<PulledBase | undefined> {
  const { blocks, swarm, signal, log, wanted, weightsBytes, clock } = deps;
  const fetch: PullOptions["fetch"] = (cids, take) =>
    swarm.fetchBlocks({
      cids,
      root: deps.run,
      holders: () => [...holders, ...swarm.peers()],
      take: saidProgress(take, { what: "settled state", blocksCount: cids.length, clock, log }),
      signal,
    });
  try {
    const body = await pullBody(blocks, cid, { bytesMax: BASE_BYTES_MAX, fetch });
    const decoded = body.kind === "accept" ? decodeBase(body.value, deps) : body;
    if (body.kind !== "accept" || decoded.kind !== "accept") {
      log.warn("what peers hold as the settled state is none", { cid, peers: holders });
      return undefined;
    }
    for (const block of await bodyBlocks(blocks, cid)) await blocks.delete(block);
    const record = decoded.value;
    const { base, phase, weights } = record;
    if (base.root !== wanted.root || base.round !== wanted.round || phase !== wanted.phase) {
      log.warn("peers hold another settled state under this root", { cid, root: base.root, peers: holders });
      return undefined;
    }
    if (!(await areRootsNamed(deps, record))) {
      log.warn("what peers hold names other settled roots before it than the headers do", {
        cid,
        peers: holders,
      });
      return undefined;
    }
    const root = base.weightsRoot;
    const pulled = await pullBlocks(blocks, weights, { bytesMax: weightsBytes, root, fetch });
    if (pulled.kind === "accept") return { record, bytes: body.value };
    log.warn("the settled state's weights are not what its root says", {
      code: pulled.code,
      detail: pulled.detail,
    });
  } catch (error) {
    // Holders come and go; the blocks that came stay, so the next attempt has less to do.
    if (!(error instanceof StarlingError) || error.code !== "BLOCK_NOT_FOUND") throw error;
    log.debug("the settled state is not whole yet", { error: messageOf(error) });
  }
  return undefined;
}

/** The roots of the wanted round that the peers' signed headers build on. */
async function rootsKnown(deps: PullBaseDeps): Promise<Set<string>> {
  const { wanted, rule } = deps;
  const round = wanted.round + rule.settleDepth;
  const headers = await headersOf(deps, { from: round, to: round });
  return new Set([...headers.values()].map(({ settled }) => settled.root));
}

/** Whether a record's roots before its state are those that headers with weight go back to; where none are heard, we can't tell. */
async function areRootsNamed(deps: PullBaseDeps, { base }: BaseRecord): Promise<boolean> {
  const { rule } = deps;
  const headers = await headersOf(deps, {
    from: base.round,
    to: base.round + rule.settleDepth,
    // Keys are free: headers of others could fill the room.
    isWanted: ({ author }) => (base.accounts.table.get(author) ?? 0) > 0,
  });
  const named = rootsNamedBefore(headers, base, rule);
  return named === undefined || named.join() === base.roots.join();
}

/** Signed headers of these rounds, from every peer. */
async function headersOf(
  deps: PullBaseDeps,
  { from, to, isWanted = () => true }: { from: number; to: number; isWanted?: (header: Header) => boolean },
): Promise<Map<ContributionId, Header>> {
  const { swarm, wanted, run } = deps;
  const headers = new Map<ContributionId, Header>();
  await fromEach(deps, async (peer, signal) => {
    let fromRound = from;
    for (let page = 0; page < PAGES_MAX && fromRound <= to && headers.size < HEADERS_MAX; page++) {
      const reply = await swarm.requestHeaders(peer, { phase: wanted.phase, fromRound }, { signal });
      let last = -1;
      for (const bytes of reply.headers) {
        const id = idOf(bytes);
        const verified = headers.has(id) ? undefined : await verifyHeader(bytes);
        const header = verified?.kind === "accept" ? verified.value.header : headers.get(id);
        last = header?.round ?? last;
        if (
          header?.run === run &&
          header.phase === wanted.phase &&
          header.round >= from &&
          header.round <= to &&
          isWanted(header)
        )
          headers.set(id, header);
      }
      // Pages overlap by a round; one that does not get on would be asked for again and again.
      if (!reply.more || last <= fromRound) break;
      fromRound = last;
    }
  });
  return headers;
}

async function fromEach(
  { swarm, signal, log }: PullBaseDeps,
  ask: (peer: PeerId, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  await Promise.all(
    swarm.peers().map((peer) =>
      ask(peer, AbortSignal.any([signal, AbortSignal.timeout(ASK_MS_MAX)])).catch((error: unknown) => {
        // Others are asked at the same time, and everybody again soon.
        log.debug("peer told nothing of the settled state", { peer, error: messageOf(error) });
      }),
    ),
  );
}

function otherHistory({ round, root }: SettledName, known: ReadonlySet<string>): StarlingError {
  return new StarlingError(
    "ADDRESS_OTHER_HISTORY",
    `expected peers whose history goes on from root ${root} of round ${round}, but theirs has ` +
      `${[...known].join(", ")}: the address is of a history that nobody here follows; ask somebody whom you trust ` +
      `for a new one ("starling address")`,
  );
}
