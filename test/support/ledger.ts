/**
 * A run's history in memory, as real as on a disk: signed headers, deltas, checkpoints, with all folds done the obvious
 * slow way, so that what checks a history is tested against something that was not computed like it.
 */
import { generateKeyPairFromSeed } from "@libp2p/crypto/keys";
import type { PrivateKey } from "@libp2p/interface";
import { peerIdFromPrivateKey } from "@libp2p/peer-id";
import { codecAt, decodeDelta, encodeDelta } from "../../src/codec/index.ts";
import {
  type Contribution,
  ContributionGraph,
  type GraphOptions,
  type UnsignedHeader,
  type View,
  batchSeed,
  foldTerms,
  recordOfAccounts,
  settledRoot,
  settledRoundAt,
} from "../../src/consensus/index.ts";
import {
  type Cid,
  type ContributionId,
  type Digest,
  type PeerId,
  type RunId,
  SeededRandom,
  assert,
  bytesOf,
  digestOf,
  rootOfBytes,
  roundHalfToEven,
  sha256,
} from "../../src/core/index.ts";
import { type Manifest, draftManifest } from "../../src/node/index.ts";
import { type SignedContribution, signContribution } from "../../src/node/keys/identity.ts";
import { cutData } from "../../src/node/data/cut.ts";
import { encodeManifest, growthInto, runIdOf } from "../../src/node/run/manifest.ts";
import { type PhaseFacts, firstFacts, phaseFacts } from "../../src/node/verify/phase.ts";
import { type Archive, type RawFolder, bodyCid, headerKey } from "../../src/storage/index.ts";
import { byteTokenizer, growWeights } from "../../src/trainer/index.ts";
import { textBytes } from "./run-of.ts";

export const SETTLE_DEPTH = 3;

export interface Details {
  /** 0 makes a closing contribution. */
  readonly steps?: number;
  /** Tells two contributions of one author and round apart. */
  readonly variant?: string;
  /** A lie, signed like everything else. */
  readonly change?: (header: UnsignedHeader) => UnsignedHeader;
}

/** What every ledger's run learns from: one shard, and its record. */
const data = await (async () => {
  const blocks = new Map<Cid, Uint8Array>();
  const put = async (cid: Cid, bytes: Uint8Array): Promise<void> => void blocks.set(cid, bytes);
  const key = await generateKeyPairFromSeed("Ed25519", sha256(textBytes("who cut the data")));
  const bytes = textBytes("Call me Ishmael. ".repeat(12));
  const documents = (async function* () {
    yield { bytes, endsDocument: true };
  })();
  const tokenizer = { name: "bytes", tokenizer: byteTokenizer } as const;
  const labels = { source: "text", licence: "none", heldOutShare: 0.1 };
  const { cid, record } = await cutData({ documents, tokenizer, ...labels }, { blocks: { put }, key });
  return { cid, blocks, shard: record.train[0]?.cid as Cid };
})();

function withStart(facts: PhaseFacts): PhaseFacts & { readonly start: Int32Array } {
  const { start } = facts;
  assert(start !== undefined, "every start is computed here");
  return { ...facts, start };
}

export class Ledger {
  readonly shard: Cid = data.shard;
  readonly manifest: Manifest;
  /** Of the phase that is worked on. */
  facts: PhaseFacts & { readonly start: Int32Array };
  graph: ContributionGraph;
  readonly headers: Map<ContributionId, { key: string; bytes: Uint8Array }> = new Map();
  readonly blocks: Map<Cid, Uint8Array> = new Map();
  readonly checkpoints: RawFolder[] = [];
  readonly #keys = new Map<string, PrivateKey>();
  readonly #folded = new Map<string, Int32Array>();

  /** `tokensBudget`: of the first of two phases; without it there is one, which never ends. */
  constructor({ tokensBudget }: { tokensBudget?: number } = {}) {
    const draft = draftManifest({ preset: "tiny", name: "text" }, { data: [data.cid] });
    const [{ model, ...phase }] = draft.phases;
    const first = {
      ...phase,
      model: {
        ...model,
        contextLength: 8,
        hiddenSize: 8,
        layersCount: 1,
        headsCount: 1,
        kvHeadsCount: 1,
        intermediateSize: 8,
      },
      tokensBudget: tokensBudget ?? 1e12,
      rule: { ...phase.rule, settleDepth: SETTLE_DEPTH },
      credits: { perToken: 2 },
    };
    const second = {
      ...first,
      model: { ...first.model, hiddenSize: 16, headsCount: 2, kvHeadsCount: 2, intermediateSize: 16 },
      tokensBudget: 1e12,
      credits: { perToken: 3 },
      entry: { growth: { depth: "identity" as const }, seats: 2, qualifyRounds: 100, qualifySeats: 1 },
    };
    this.manifest = { ...draft, phases: tokensBudget === undefined ? [first] : [first, second] };
    const run = runIdOf(this.manifest);
    for (const [cid, bytes] of data.blocks) this.blocks.set(cid, bytes);
    this.blocks.set(run, encodeManifest(this.manifest));
    this.facts = withStart(firstFacts(run, this.manifest, null));
    this.graph = new ContributionGraph(this.facts.graph);
  }

  get run(): RunId {
    return this.options.run;
  }

  get options(): GraphOptions {
    return this.facts.graph;
  }

  peer(name: string): PeerId {
    const key = this.#keys.get(name);
    assert(key !== undefined, `${name} has contributed`);
    return peerIdFromPrivateKey(key).toString() as PeerId;
  }

  /** Goes on in the second phase, with these two voting in it at first; `end`: the round that the first one ends with. */
  climb(
    view: View,
    { end, names, change }: { end: number; names: readonly string[]; change?: (start: Int32Array) => void },
  ): void {
    const { run, manifest, options } = this;
    const mark = this.settled(view, end);
    const start = growWeights(this.fold(view, end), growthInto(manifest, options.phase + 1));
    change?.(start);
    const table = view.tableAt(end);
    const voters = new Map(names.map((name) => [this.peer(name), table.get(this.peer(name)) ?? 0]));
    const origin = { startRoot: rootOfBytes(bytesOf(start)), mark, voters };
    this.facts = withStart(phaseFacts(run, manifest, { phase: options.phase + 1, origin, start }));
    this.graph = new ContributionGraph(this.options);
    this.#folded.clear();
  }

  /** Makes, signs, stores and links a contribution. */
  async add(name: string, parents: readonly Contribution[], details: Details = {}): Promise<Contribution> {
    const { id, header } = await this.forge(name, parents, details);
    const admission = this.graph.add(id, header);
    assert(admission.kind === "added", `expected the graph to take ${name}'s in round ${header.round}`);
    return this.graph.get(id) as Contribution;
  }

  /** The same without linking it: `change` may make it into something that no graph would take. */
  async forge(
    name: string,
    parents: readonly Contribution[],
    details: Details = {},
  ): Promise<SignedContribution> {
    const { steps = 5, variant = "", change = (h) => h } = details;
    const { run, phase, rule, limits } = this.options;
    const key = this.#keys.get(name) ?? (await generateKeyPairFromSeed("Ed25519", sha256(textBytes(name))));
    this.#keys.set(name, key);
    const author = this.peer(name);
    const round = (parents[0]?.header.round ?? -1) + 1;
    const view = this.graph.view(
      round,
      parents.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    );
    const settled = this.settled(view, settledRoundAt(round, rule));
    const previous = view.parents.find(({ header }) => header.author === author);
    const header = change({
      v: 1,
      run,
      phase,
      round,
      author,
      parents: view.parents.map(({ id }) => id),
      settled,
      start: rootOfBytes(bytesOf(this.fold(view, round))),
      delta: steps === 0 ? null : this.#delta(`${name}/${round}/${variant}`),
      work: {
        steps,
        tokens: steps * limits.tokensPerStep,
        lossFirst: null,
        lossLast: null,
        data: batchSeed(settled.root, round, author),
        stateBefore: previous?.header.work.stateAfter ?? this.options.zeroState,
        stateAfter: digestOf(textBytes(`${name}/${round}/${variant}`)),
        engine: "test",
      },
      evidence: [],
      supports: null,
      lot: { reveal: null, next: this.options.zeroState },
    });
    const { lot: _, ...draft } = header;
    const signed = await signContribution({ ...draft, previous }, key);
    this.headers.set(signed.id, { key: headerKey(phase, round, signed.id), bytes: signed.bytes });
    return signed;
  }

  /** Rounds in which everybody cites all of the round before. */
  async addRounds(
    names: readonly string[],
    count: number,
    parents: readonly Contribution[] = [],
  ): Promise<Contribution[]> {
    let last = [...parents];
    for (let i = 0; i < count; i++) {
      const next: Contribution[] = [];
      for (const name of names) next.push(await this.add(name, last));
      last = next;
    }
    return last;
  }

  /** What a header on this view says has settled. */
  settled(view: View, round: number): { round: number; root: Digest } {
    const { run, phase, startSettled } = this.options;
    const weightsRoot = rootOfBytes(bytesOf(this.fold(view, round)));
    const accounts = view.accountsAt(round);
    return {
      round,
      root: round === 0 ? startSettled : settledRoot({ run, phase, round, weightsRoot, accounts }),
    };
  }

  /** state = start - sum over r < round of A(S(r)), (P,), from scratch. */
  fold(view: View, round: number): Int32Array {
    const sets = Array.from({ length: round }, (_, r) => view.included(r));
    const weightsOf = (r: number): ((author: PeerId) => number) => {
      const tableRound = settledRoundAt(r, this.options.rule);
      const table = (tableRound === 0 && this.options.firstVoters) || view.tableAt(tableRound);
      return (author) => table.get(author) ?? 0;
    };
    const name = sets.map((set) => set.map(({ id }) => id).join()).join(";");
    const known = this.#folded.get(name);
    if (known !== undefined) return known;
    const weights = this.facts.start.slice();
    for (const [r, set] of sets.entries()) {
      const terms = foldTerms(set, this.options.rule.outerRate, weightsOf(r));
      const deltas = terms.map(({ cid }) =>
        decodeDelta(
          this.blocks.get(cid) ?? new Uint8Array(0),
          this.facts.lengths,
          codecAt(this.facts.codec, 0),
        ),
      );
      for (let i = 0; i < weights.length; i++) {
        let sum = 0;
        terms.forEach(({ factor }, j) => {
          const decoded = deltas[j];
          assert(decoded?.kind === "accept", "our own delta decodes");
          sum += factor * (decoded.value[i] as number);
        });
        weights[i] = (weights[i] as number) - roundHalfToEven(sum / 2 ** 20);
      }
    }
    this.#folded.set(name, weights);
    return weights;
  }

  checkpoint(view: View, round: number): RawFolder {
    const weights = Uint8Array.from(bytesOf(this.fold(view, round)));
    const { run, phase } = this.options;
    const { root } = this.settled(view, round);
    const accounts = recordOfAccounts(view.accountsAt(round));
    const meta = { run, phase, round, root, weightsRoot: rootOfBytes(weights), accounts };
    const files = new Map([
      ["meta.json", textBytes(`${JSON.stringify(meta, undefined, 2)}\n`)],
      ["weights.bin", weights],
    ]);
    const seal = [...files].map(([name, bytes]) => ({ name, bytes: bytes.length, root: rootOfBytes(bytes) }));
    files.set("seal.json", textBytes(JSON.stringify({ files: seal })));
    const folder = { phase, round, name: `${phase}-${round}-${this.checkpoints.length + 1}`, files };
    this.checkpoints.push(folder);
    return folder;
  }

  /** The same as an archive, of the node that `self` names. */
  archive(self?: string): Archive {
    const sorted = (): { key: string; bytes: Uint8Array }[] =>
      [...this.headers.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1));
    const { headers, blocks, checkpoints } = this;
    return {
      dir: "memory",
      run: this.options.run,
      self: self === undefined ? undefined : this.peer(self),
      async *headers() {
        yield* sorted();
      },
      async *places() {
        for (const [id, { key }] of headers) yield { id, key };
      },
      block: async (cid) => blocks.get(cid),
      async *checkpoints() {
        yield* checkpoints;
      },
      close: async () => undefined,
    };
  }

  #delta(seed: string): { cid: Cid; bytes: number; norm: number } {
    const random = new SeededRandom(seed);
    const learned = Int32Array.from(this.facts.start, () => random.below(2 ** 18) - 2 ** 17);
    const { bytes, norm } = encodeDelta(learned, this.facts.lengths, codecAt(this.facts.codec, 0));
    const cid = bodyCid(bytes);
    this.blocks.set(cid, bytes);
    return { cid, bytes: bytes.length, norm };
  }
}
