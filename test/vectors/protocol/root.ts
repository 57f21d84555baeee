/** root.json: Merkle roots of patternBytes, settled roots with their accounts, and state digests. */
import { accountsOfRecord, ruleSchema, settledRoot } from "../../../src/consensus/index.ts";
import { bytesOf, digestOf, rootOfBytes } from "../../../src/core/index.ts";
import { digestOfText, peerOf, runIdOf, textBytes } from "../../support/run-of.ts";
import { patternBytes } from "./support.ts";

export interface RootVectors {
  /** byte[i] = i mod 251. */
  merkle: { bytes: number; root: string }[];
  settled: {
    run: string;
    phase: number;
    round: number;
    weights: string;
    tokens: number;
    table: Record<string, number>;
    /** Of the last rounds, the newest last. */
    work: { counted: Record<string, number>; voided: string[] }[];
    root: string;
  }[];
  /** Zero moments and residual of P weights, no steps: the empty state. */
  state: { parameters: number; root: string }[];
}

const RULE = ruleSchema.parse({});

export function rootVectors(): RootVectors {
  const MiB = 2 ** 20;
  const sizes = [0, 1, MiB, MiB + 1, 2 * MiB, 3 * MiB, 5 * MiB - 7];
  const rounds = [
    [],
    [{ counted: { ada: 81_920 }, voided: [] }],
    [
      { counted: { ada: 81_920, bob: 2 ** 33 + 1, cyd: 1, gus: 5 }, voided: [] },
      { counted: {}, voided: ["gus"] },
      { counted: { dan: 23, eve: 300, fay: 70_000, gus: 24 }, voided: [] },
    ],
  ];
  return {
    merkle: sizes.map((bytes) => ({ bytes, root: rootOfBytes(patternBytes(bytes)) })),
    settled: rounds.map((named, i) => {
      const work = named.map(({ counted, voided }) => ({
        counted: Object.fromEntries(Object.entries(counted).map(([name, tokens]) => [peerOf(name), tokens])),
        voided: voided.map(peerOf),
      }));
      const state = { run: runIdOf("roots"), phase: 0, round: 30 * i, weights: digestOfText(`${i}`) };
      const { weights, ...rest } = state;
      const accounts = accountsOfRecord({ tokens: 1000 * i, work }, RULE);
      const root = settledRoot({ ...rest, weightsRoot: weights, accounts });
      return { ...state, tokens: 1000 * i, table: Object.fromEntries(accounts.table), work, root };
    }),
    state: [8, 26_784, 300_000].map((parameters) => ({ parameters, root: emptyState(parameters) })),
  };
}

/** As the learner makes it; a test compares the two. */
function emptyState(parameters: number): string {
  const zeros = rootOfBytes(bytesOf(new Int32Array(parameters)));
  const steps = rootOfBytes(textBytes("0"));
  return digestOf(textBytes(`moment1 ${zeros}\nmoment2 ${zeros}\nresidual ${zeros}\nsteps ${steps}`));
}
