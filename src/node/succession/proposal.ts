/**
 * A proposed successor of a run: a manifest that goes on from the weights at which the run's voters decide to leave it. It is
 * signed by whoever proposes it, and travels as one raw block that contributions name in `supports`.
 */
import { decode, encode } from "@ipld/dag-cbor";
import type { PrivateKey } from "@libp2p/interface";
import { peerIdFromPrivateKey } from "@libp2p/peer-id";
import { CID } from "multiformats/cid";
import { z } from "zod";
import {
  type Cid,
  type PeerId,
  RAW,
  type RunId,
  StarlingError,
  type Verdict,
  accept,
  cidOf,
  ignore,
  messageOf,
  reject,
} from "../../core/index.ts";
import { isSignedBy } from "../keys/identity.ts";
import { type Manifest, decodeManifest, encodeManifest, phaseOf } from "../run/manifest.ts";
import { isEd25519PeerId } from "../keys/peer-ids.ts";

export const PROPOSAL_VERSION = 1;
/** Guess: a manifest of seven phases has about 5 kB, and 64 records of data and 1,024 founders about 60 kB more. */
export const PROPOSAL_BYTES_MAX: number = 256 * 1024;
const SIGNING_DOMAIN = new TextEncoder().encode("starling/1/proposal\n");

/** By when a proposal has to be carried. */
export interface Deadline {
  /** The phase that is left; the successor's first phase has its model. */
  readonly phase: number;
  /** The last settled round of it that counts. */
  readonly round: number;
}

export interface Proposal {
  readonly cid: Cid;
  readonly run: RunId;
  readonly author: PeerId;
  readonly until: Deadline;
  /** The successor's but for its start, which is null: the weights that it goes on from are not known yet. */
  readonly draft: Manifest;
}

const recordSchema = z.strictObject({
  v: z.literal(PROPOSAL_VERSION),
  run: z.instanceof(CID),
  author: z.custom<PeerId>(isEd25519PeerId, "expected the peer id of an Ed25519 key, in base58"),
  until: z.strictObject({
    phase: z.int().min(0).max(6),
    round: z
      .int()
      .min(1)
      .max(2 ** 31 - 1),
  }),
  manifest: z.instanceof(Uint8Array),
  sig: z.instanceof(Uint8Array).refine((sig) => sig.length === 64, "expected 64 bytes"),
});
type ProposalRecord = z.infer<typeof recordSchema>;

/** Signs and encodes. The same proposal and key always give the same bytes. */
export async function signProposal(
  { run, until, draft }: Pick<Proposal, "run" | "until" | "draft">,
  key: PrivateKey,
): Promise<{ proposal: Proposal; bytes: Uint8Array }> {
  const author = peerIdFromPrivateKey(key).toString() as PeerId;
  const fields = {
    v: PROPOSAL_VERSION,
    run: CID.parse(run),
    author,
    until,
    manifest: Uint8Array.from(encodeManifest(draft)),
  } as const;
  const sig = Uint8Array.from(await key.sign(signingBytes(fields)));
  const bytes = encode({ ...fields, sig });
  return { proposal: { cid: cidOf(bytes, RAW), run, author, until, draft }, bytes };
}

/**
 * The proposal in a block, for voters of the run whose manifest is given: `PROPOSAL_MALFORMED`, `PROPOSAL_OTHER_RUN`,
 * `PROPOSAL_SIGNATURE`, `PROPOSAL_UNFIT`.
 */
export async function openProposal(
  bytes: Uint8Array,
  { run, manifest }: { run: RunId; manifest: Manifest },
): Promise<Verdict<Proposal>> {
  const parsed = parse(bytes);
  if (parsed.kind !== "accept") return parsed;
  const { sig, ...fields } = parsed.value;
  const named = fields.run.toString() as RunId;
  if (named !== run) return ignore("PROPOSAL_OTHER_RUN", `expected run ${run}, got ${named}`);
  if (!(await isSignedBy(fields.author, signingBytes(fields), sig)))
    return reject("PROPOSAL_SIGNATURE", `expected a signature of ${fields.author}`);
  const draft = draftIn(fields.manifest);
  if (draft.kind !== "accept") return draft;
  const unfit = unfitFor(draft.value, manifest, fields.until);
  if (unfit !== undefined) return ignore("PROPOSAL_UNFIT", unfit);
  const { author, until } = fields;
  return accept({ cid: cidOf(bytes, RAW), run, author, until, draft: draft.value });
}

/** Why a manifest can't go on from a phase of a run; undefined: it can. */
export function unfitFor(draft: Manifest, manifest: Manifest, { phase }: Deadline): string | undefined {
  if (draft.start !== null) return "expected start null: it is what the run has learned when it is left";
  const from = manifest.phases[phase]?.model;
  if (from === undefined) return `expected a phase below ${manifest.phases.length}, got ${phase}`;
  const { model } = phaseOf(draft, 0);
  if (Buffer.compare(encode(model), encode(from)) === 0) return undefined;
  return `expected the model of phase ${phase} in the first phase, or its weights are of no use there`;
}

/** The successor: what was proposed, from the weights that the run was left with. */
export function successorOf({ draft }: Proposal, weights: Cid): Manifest {
  return { ...draft, start: weights };
}

function parse(bytes: Uint8Array): Verdict<ProposalRecord> {
  if (bytes.length > PROPOSAL_BYTES_MAX)
    return reject("PROPOSAL_MALFORMED", `expected at most ${PROPOSAL_BYTES_MAX} bytes, got ${bytes.length}`);
  try {
    const parsed = recordSchema.safeParse(decode(bytes));
    if (!parsed.success) return reject("PROPOSAL_MALFORMED", z.prettifyError(parsed.error));
    if (Buffer.compare(encode(parsed.data), bytes) === 0) return accept(parsed.data);
    return reject("PROPOSAL_MALFORMED", "expected the canonical encoding");
  } catch (error) {
    // Not DAG-CBOR.
    return reject("PROPOSAL_MALFORMED", messageOf(error));
  }
}

function draftIn(block: Uint8Array): Verdict<Manifest> {
  try {
    return accept(decodeManifest(block));
  } catch (error) {
    if (!(error instanceof StarlingError)) throw error;
    return reject("PROPOSAL_MALFORMED", error.message);
  }
}

function signingBytes({ v, run, author, until, manifest }: Omit<ProposalRecord, "sig">): Uint8Array {
  return Buffer.concat([SIGNING_DOMAIN, encode({ v, run, author, until, manifest })]);
}
