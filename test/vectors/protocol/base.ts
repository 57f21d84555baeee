/** base.json: the record of a settled state, the root that follows from it, and an address that names it. */
import { type Accounts, settledRoot } from "../../../src/consensus/index.ts";
import { type Digest, type PeerId, type RunId, RAW, cidOfDigest, digestOf } from "../../../src/core/index.ts";
import { encodeBase } from "../../../src/node/join/base-record.ts";
import { encodeRunAddress } from "../../../src/node/join/run-address.ts";
import { runIdOf, textBytes } from "../../support/run-of.ts";
import { hex, keyOf } from "./support.ts";

export interface BaseVector {
  run: RunId;
  settleDepth: number;
  weightWindow: number;
  round: number;
  weights: string;
  /** Of the record, hex. */
  bytes: string;
  root: Digest;
  peers: string[];
  address: string;
}

export async function baseVectors(): Promise<BaseVector> {
  const run = runIdOf("base");
  const [settleDepth, weightWindow, round, phase] = [2, 3, 5, 0];
  const [{ peer: ada }, { peer: bob }] = await Promise.all([keyOf("ada"), keyOf("bob")]);
  const counted = (entries: [PeerId, number][]): ReadonlyMap<PeerId, number> => new Map(entries);
  const work = [
    { counted: counted([[ada, 640]]), voided: [] },
    {
      counted: counted([
        [ada, 640],
        [bob, 320],
      ]),
      voided: [],
    },
    { counted: counted([[bob, 640]]), voided: [] },
    {
      counted: counted([
        [ada, 640],
        [bob, 640],
      ]),
      voided: [bob],
    },
    { counted: counted([[ada, 320]]), voided: [] },
  ];
  const accounts: Accounts = { tokens: 3840, work, table: new Map([[ada, 960]]) };
  const weightsRoot = digestOf(textBytes("weights"));
  const weights = cidOfDigest(weightsRoot, RAW);
  const roots = ["one", "two"].map((text) => digestOf(textBytes(text)));
  const root = settledRoot({ run, phase, round, weightsRoot, accounts });
  const bytes = encodeBase({ phase, base: { round, root, weightsRoot, accounts, roots }, weights });
  const peers = [`/ip4/192.0.2.7/tcp/4001/p2p/${ada}`];
  const address = encodeRunAddress({ run, settled: { phase, round, root }, peers });
  return { run, settleDepth, weightWindow, round, weights, bytes: hex(bytes), root, peers, address };
}
