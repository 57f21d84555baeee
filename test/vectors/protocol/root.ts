/** root.json: Merkle roots of patternBytes, settled roots with their tables, and state digests. */
import { settledRoot } from "../../../src/consensus/index.ts";
import { type PeerId, bytesOf, digestOf, rootOfBytes } from "../../../src/core/index.ts";
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
    table: Record<string, number>;
    root: string;
  }[];
  /** Zero moments and residual of P weights, no steps: the empty state. */
  state: { parameters: number; root: string }[];
}

export function rootVectors(): RootVectors {
  const MiB = 2 ** 20;
  const sizes = [0, 1, MiB, MiB + 1, 2 * MiB, 3 * MiB, 5 * MiB - 7];
  const tables = [
    {},
    { ada: 81_920 },
    { ada: 81_920, bob: 2 ** 33 + 1, cyd: 1, dan: 23, eve: 300, fay: 70_000 },
  ];
  return {
    merkle: sizes.map((bytes) => ({ bytes, root: rootOfBytes(patternBytes(bytes)) })),
    settled: tables.map((named, round) => {
      const table = Object.fromEntries(Object.entries(named).map(([name, weight]) => [peerOf(name), weight]));
      const state = { run: runIdOf("roots"), phase: 0, round: 30 * round, weights: digestOfText(`${round}`) };
      const { weights, ...rest } = state;
      const root = settledRoot({
        ...rest,
        weightsRoot: weights,
        table: new Map(Object.entries(table) as [PeerId, number][]),
      });
      return { ...state, table, root };
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
