/** S8: what a node passes on of the headers that it hears, whether it trains or only serves. */
import { generateKeyPair } from "@libp2p/crypto/keys";
import { peerIdFromPrivateKey } from "@libp2p/peer-id";
import { beforeEach, describe, expect, test } from "vitest";
import type { Contribution, Effect } from "../../../src/consensus/index.ts";
import { type ContributionId, type PeerId, reject } from "../../../src/core/index.ts";
import { HeaderIntake } from "../../../src/node/round/header-intake.ts";
import { signContribution } from "../../../src/node/keys/identity.ts";
import { aDraft } from "../../support/draft.ts";

const key = await generateKeyPair("Ed25519");
const draft = aDraft(peerIdFromPrivateKey(key).toString() as PeerId);
const { id, bytes } = await signContribution(draft, key);

let linked: Map<ContributionId, Contribution>;
let effects: Effect[];
let roundNow: number;
let intake: HeaderIntake;

beforeEach(() => {
  linked = new Map();
  effects = [];
  roundNow = draft.round;
  intake = new HeaderIntake({ graph: linked, roundNow: () => roundNow, take: () => effects });
});

describe("S8 a header that is heard", () => {
  test("is passed on when its parents are here", async () => {
    linked.set(id, {} as Contribution);
    expect(await intake.hear(bytes)).toEqual({ kind: "accept", value: draft.round });
  });

  test("is not passed on while its parents are not here, and is no fault; from a peer's answer it is taken", async () => {
    expect(await intake.hear(bytes)).toMatchObject({ kind: "ignore", code: "HEADER_WAITING" });
    expect(await intake.receive(bytes)).toEqual({ kind: "accept", value: draft.round });
  });

  test("is not passed on when it is of long ago", async () => {
    linked.set(id, {} as Contribution);
    roundNow = draft.round + 3;
    expect(await intake.hear(bytes)).toMatchObject({ kind: "accept" });
    roundNow = draft.round + 4;
    expect(await intake.hear(bytes)).toMatchObject({ kind: "ignore", code: "HEADER_OLD" });
  });

  test("is judged as the machine judges it, but to have it already is no fault", async () => {
    linked.set(id, {} as Contribution);
    const refused = reject("HEADER_RUN", "expected our run");
    effects = [{ kind: "refuse", id, why: refused } as Effect];
    expect(await intake.hear(bytes)).toEqual(refused);
    effects = [{ kind: "refuse", id, why: { ...refused, code: "HEADER_KNOWN" } } as Effect];
    expect(await intake.hear(bytes)).toMatchObject({ kind: "accept" });
  });

  test("that nobody signed is a fault, and the machine never sees it", async () => {
    const broken = Uint8Array.from(bytes);
    broken[broken.length - 1] ^= 1;
    const seen: unknown[] = [];
    intake = new HeaderIntake({
      graph: linked,
      roundNow: () => roundNow,
      take: (...header) => (seen.push(header), []),
    });
    expect(await intake.hear(broken)).toMatchObject({ kind: "reject" });
    expect(seen).toEqual([]);
  });
});
