import { generateKeyPair } from "@libp2p/crypto/keys";
import { decode, encode } from "@ipld/dag-cbor";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Cid, RAW, cidOf } from "../../../../src/core/index.ts";
import { draftManifest } from "../../../../src/node/index.ts";
import { type Manifest, runIdOf } from "../../../../src/node/run/manifest.ts";
import { manifestDiff } from "../../../../src/node/succession/diff.ts";
import { openProposal, signProposal, successorOf } from "../../../../src/node/succession/proposal.ts";

const data = [cidOf(Uint8Array.of(1), RAW)];
const manifest = draftManifest({ preset: "tiny" }, { data });
const run = runIdOf(manifest);
const draft: Manifest = { ...manifest, name: "next" };
const until = { phase: 0, round: 500 };
const key = await generateKeyPair("Ed25519");
const { proposal, bytes } = await signProposal({ run, until, draft }, key);
const of = { run, manifest };

describe("P6 openProposal()", () => {
  test("gives what was signed; the successor is the draft from the weights", async () => {
    expect(await openProposal(bytes, of)).toEqual({ kind: "accept", value: proposal });
    const weights = cidOf(Uint8Array.of(2), RAW) as Cid;
    expect(successorOf(proposal, weights)).toEqual({ ...draft, start: weights });
  });

  test.each([
    ["another run", { run: runIdOf(draft), until, draft }, "PROPOSAL_OTHER_RUN"],
    ["a phase that there is not", { run, until: { phase: 1, round: 5 }, draft }, "PROPOSAL_UNFIT"],
    ["another model", { run, until, draft: draftManifest({ preset: "flight" }, { data }) }, "PROPOSAL_UNFIT"],
    ["weights of its own", { run, until, draft: { ...draft, start: data[0] as Cid } }, "PROPOSAL_UNFIT"],
  ])("refuses one for %s", async (_, fields, code) => {
    const other = await signProposal(fields, key);
    expect(await openProposal(other.bytes, of)).toMatchObject({ kind: "ignore", code });
  });

  test("refuses what its author did not sign", async () => {
    const record = decode<Record<string, unknown>>(bytes);
    const changed = encode({ ...record, until: { phase: 0, round: 501 } });
    expect(await openProposal(changed, of)).toMatchObject({ kind: "reject", code: "PROPOSAL_SIGNATURE" });
  });

  test("any bytes give a verdict", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const broken = Uint8Array.from(bytes);
        broken[at] = (broken[at] as number) ^ change;
        expect((await openProposal(broken, of)).kind).not.toBe("accept");
      }),
      { numRuns: 200 },
    );
    expect(await openProposal(new Uint8Array(300_000), of)).toMatchObject({ code: "PROPOSAL_MALFORMED" });
  });
});

test("P6 manifestDiff() shows what changes, with a little around it", () => {
  const text = manifestDiff(manifest, {
    ...draft,
    phases: draft.phases.map((p) => ({ ...p, roundMsMax: 1 })),
  });
  const changed = text.split("\n").filter((line) => /^[-+]/.test(line));
  expect(changed).toEqual([
    `-   "name": "${manifest.name}",`,
    '+   "name": "next",',
    '-       "roundMsMax": 10000,',
    '+       "roundMsMax": 1,',
  ]);
  expect(text).toContain("…");
  expect(manifestDiff(manifest, manifest)).toBe("");
});
