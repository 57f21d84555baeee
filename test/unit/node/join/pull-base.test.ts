/** S2 S3: a settled state out of the network, where some who hold it lie about the roots before it. */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { type Base, type Header, rootsNamedBefore } from "../../../../src/consensus/index.ts";
import {
  type Cid,
  type ContributionId,
  type Digest,
  type PeerId,
  type Verdict,
  bytesOf,
  rootOfBytes,
  silentLog,
  systemClock,
} from "../../../../src/core/index.ts";
import { verifyHeader } from "../../../../src/node/keys/identity.ts";
import { encodeBase } from "../../../../src/node/join/base-record.ts";
import { type PullBaseDeps, pullBase } from "../../../../src/node/join/pull-base.ts";
import { cutBody } from "../../../../src/storage/body.ts";
import { createBlockStore } from "../../../../src/storage/index.ts";
import { Ledger, SETTLE_DEPTH } from "../../../support/ledger.ts";

const dir = await mkdtemp(join(tmpdir(), "starling-base-"));
await Promise.all(["blocks", "tmp"].map((name) => mkdir(join(dir, name))));
afterAll(() => rm(dir, { recursive: true, force: true }));

const ROUND = 6;
const FALSE = "ab".repeat(32) as Digest;
const ledger = new Ledger();
const last = await ledger.addRounds(["ada", "bob", "cyd"], ROUND + SETTLE_DEPTH + 2);
const view = ledger.graph.view(ROUND + SETTLE_DEPTH + 2, last);
const weights = bytesOf(ledger.fold(view, ROUND));
const base: Base = {
  ...ledger.settled(view, ROUND),
  weightsRoot: rootOfBytes(weights),
  accounts: view.accountsAt(ROUND),
  roots: [3, 2, 1].map((back) => ledger.settled(view, ROUND - back).root),
};
const lie: Base = { ...base, roots: base.roots.map(() => FALSE) };
const stored = [...ledger.headers.values()].map(({ bytes }) => bytes);

/** Headers that bear the lie out, round by round up to one that names the right state, by somebody without weight. */
async function forgedHeaders(): Promise<Uint8Array[]> {
  let parents: ContributionId[] = [];
  const forged: Uint8Array[] = [];
  for (let round = ROUND; round <= ROUND + SETTLE_DEPTH; round++) {
    const honest = ledger.graph.round(round - 1);
    const named = parents;
    const root = round === ROUND + SETTLE_DEPTH ? base.root : FALSE;
    const { id, bytes } = await ledger.forge("mallory", honest, {
      change: (header) => ({
        ...header,
        parents: named.length > 0 ? named : header.parents,
        settled: { ...header.settled, root },
      }),
    });
    parents = [id];
    forged.push(bytes);
  }
  return forged;
}
const forged = await forgedHeaders();

async function headersIn(all: readonly Uint8Array[]): Promise<Map<ContributionId, Header>> {
  const headers = new Map<ContributionId, Header>();
  for (const bytes of all) {
    const verified: Verdict<{ id: ContributionId; header: Header }> = await verifyHeader(bytes);
    if (verified.kind === "accept") headers.set(verified.value.id, verified.value.header);
  }
  return headers;
}

test("S3 the roots before a state are those that the headers of who weighs something go back to", async () => {
  const { rule } = ledger.options;
  expect(rootsNamedBefore(await headersIn([...forged, ...stored]), base, rule)).toEqual(base.roots);
  // Whom the table does not know can say nothing, and a chain with a gap says nothing.
  expect(rootsNamedBefore(await headersIn(forged), base, rule)).toBe(undefined);
  const gap = await headersIn(stored);
  for (const [id, { round }] of gap) if (round === ROUND + 1) gap.delete(id);
  expect(rootsNamedBefore(gap, base, rule)).toBe(undefined);
});

const served = new Map<Cid, Uint8Array>();
function serve(bytes: Uint8Array): Cid {
  const { root, children } = cutBody(bytes);
  for (const { cid, bytes: block } of [...children, root]) served.set(cid, block);
  return root.cid;
}

test("S2 S3 where more peers give a record with wrong roots than with the right ones, the right one is taken", async () => {
  const cid = serve(weights);
  const records = [lie, base].map((each) => serve(encodeBase({ phase: 0, base: each, weights: cid })));
  const liars = ["one", "two", "three"] as PeerId[];
  const peers = [...liars, "honest" as PeerId];
  const isLiar = (peer: PeerId): boolean => liars.includes(peer);
  const deps: PullBaseDeps = {
    run: ledger.run,
    rule: ledger.options.rule,
    wanted: { phase: 0, round: base.round, root: base.root },
    weightsBytes: weights.length,
    swarm: {
      peers: () => peers,
      requestState: async (peer) => records[isLiar(peer) ? 0 : 1],
      requestHeaders: async (peer) => ({ headers: isLiar(peer) ? forged : stored, more: false }),
      fetchBlocks: async (o) => {
        for (const each of o.cids) await o.take(each, served.get(each) as Uint8Array);
      },
    },
    blocks: createBlockStore({ dir: join(dir, "blocks"), temporaryDir: join(dir, "tmp"), log: silentLog }),
    clock: systemClock,
    log: silentLog,
    signal: AbortSignal.timeout(30_000),
  };
  const pulled = await pullBase(deps);
  expect(pulled?.record.base).toEqual(base);
});
