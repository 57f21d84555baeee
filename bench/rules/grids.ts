/** Which rows a table is made of. */
import { ATTACK_NAMES } from "./attacks.ts";
import {
  type GateName,
  type ModelName,
  type RuleName,
  type RuleOptions,
  type Settings,
  type Stage,
} from "./settings.ts";

/** A line of a table: the same settings over several seeds. */
export interface Line {
  readonly name: string;
  readonly rows: readonly Settings[];
}

export interface Grid {
  readonly title: string;
  /** What a reader should know about the table. */
  readonly note: string;
  readonly lines: readonly Line[];
  /** Lines are named `row: column`, of one run each; cells that were not measured yet stay empty, and there are no curves. */
  readonly isMatrix?: true;
}

const SEEDS = [1, 2, 3];
const PEERS = 4;

interface Scale {
  readonly model: ModelName;
  readonly stepsPerNode: number;
  readonly stepsPerRound: number;
}

const QUICK: Scale = { model: "small", stepsPerNode: 200, stepsPerRound: 10 };
const DEFAULT: Scale = { model: "flight", stepsPerNode: 500, stepsPerRound: 10 };
/** The size and length at which the aims are stated. */
const FULL: Scale = { model: "flight", stepsPerNode: 2000, stepsPerRound: 20 };

function line(name: string, rule: RuleName, scale: Scale, more: Partial<Settings> = {}): Line {
  return {
    name,
    rows: SEEDS.map((seed) => ({ rule, ...scale, peersCount: PEERS, seed, ...more })),
  };
}

/** Dense in four bits for so much of the run, then sparse in two. */
function codec(keepPerChunk: number, denseShare: number): Pick<RuleOptions, "codec"> {
  const sparse: Stage = { fromShare: denseShare, keepPerChunk, valueBits: 2 };
  return {
    codec: denseShare === 0 ? [sparse] : [{ fromShare: 0, keepPerChunk: 4096, valueBits: 4 }, sparse],
  };
}

/** Every rule at equal steps per node, so at equal tokens; one node alone at both. */
function rules(scale: Scale): readonly Line[] {
  const { stepsPerNode } = scale;
  return [
    line("one node alone", "alone", scale, { peersCount: 1 }),
    line(
      "one node alone, all tokens",
      "alone",
      { ...scale, stepsPerNode: stepsPerNode * PEERS },
      { peersCount: 1 },
    ),
    line("local only", "local", scale),
    line("synchronous data parallel", "synchronous", scale),
    line("plain average", "average", scale),
    line("DiLoCo", "diloco", scale),
    line("DiLoCo, outer 0.9, momentum 0.3", "diloco", scale, {
      options: { outerRate: 0.9, outerMomentum: 0.3 },
    }),
    line("NoLoCo", "noloco", scale),
    line("SparseLoCo 1/64", "sparseloco", scale),
    line("Starling, dense, 4 bits", "starling", scale),
    line("Starling, 1/16, 2 bits", "starling", scale, { options: codec(256, 0) }),
    line("Starling, 1/64, 2 bits", "starling", scale, { options: codec(64, 0) }),
    line("Starling, dense for 10 %, then 1/64", "starling", scale, { options: codec(64, 0.1) }),
  ];
}

/** E3: who is away, slow, late or early; on the dense rule and the small model. */
const ATTENDANCE: readonly Line[] = (() => {
  const scale: Scale = { model: "small", stepsPerNode: 1000, stepsPerRound: 10 };
  const base = { peersCount: 10 };
  return [
    line("everybody, always, alike", "starling", scale, base),
    line("30 % away each round", "starling", scale, { ...base, attendance: { dropShare: 0.3 } }),
    line("speeds 10x apart", "starling", scale, { ...base, attendance: { speedRatio: 10 } }),
    line("3 join half-way", "starling", scale, { ...base, attendance: { lateCount: 3 } }),
    line("3 leave half-way", "starling", scale, { ...base, attendance: { earlyCount: 3 } }),
  ];
})();

/** E4: what attackers do to plain averaging, to the fold alone, and to peers that judge what they cite. */
const ATTACKS: readonly Line[] = (() => {
  const scale: Scale = { model: "small", stepsPerNode: 60, stepsPerRound: 5 };
  type Column = readonly [name: string, rule: RuleName, gates?: readonly GateName[]];
  const average: Column = ["plain average", "average"];
  const open: Column = ["no gates", "starling"];
  const gated: Column = ["gates", "starling", ["cosine", "copy"]];
  const noCosine: Column = ["without cosine", "starling", ["copy"]];
  const noCopy: Column = ["without copy", "starling", ["cosine"]];
  const loss: Column = ["loss test alone", "starling", ["loss"]];
  const against = (attack: Settings["attack"], attackersCount: number, columns: readonly Column[]): Line[] =>
    columns.map(([name, rule, gates]) => ({
      name: `${attack === undefined ? "nobody" : `${attack}, ${attackersCount} of 16`}: ${name}`,
      rows: [
        {
          rule,
          ...scale,
          peersCount: 16,
          seed: 1,
          ...(attack && { attack, attackersCount }),
          ...(gates && { options: { gates } }),
        },
      ],
    }));
  // What says most comes first, for who has not the time for all; a gate that makes no difference to any row is deleted.
  return [
    ...against(undefined, 0, [average, open, gated]),
    ...ATTACK_NAMES.flatMap((attack) => against(attack, 5, [gated, open])),
    ...(["copy", "replay", "zero"] as const).flatMap((attack) => against(attack, 5, [noCosine, noCopy])),
    ...(["flip", "flip10", "noise", "labels"] as const).flatMap((attack) =>
      against(attack, 5, [average, noCosine, noCopy, loss]),
    ),
    ...ATTACK_NAMES.flatMap((attack) => against(attack, 3, [gated, open])),
    ...ATTACK_NAMES.filter((attack) => !["flip", "flip10", "noise", "labels"].includes(attack)).flatMap(
      (attack) => against(attack, 5, [average, loss]),
    ),
  ];
})();

export const grids: Readonly<Record<string, Grid>> = {
  quick: {
    title: "Rules, quick",
    note: "4 peers, 109k parameters, 200 steps each in 20 rounds, bytes of Moby-Dick, three seeds.",
    lines: rules(QUICK),
  },
  default: {
    title: "Rules",
    note: "4 peers, 994k parameters, 500 steps each in 50 rounds, bytes of Moby-Dick, three seeds.",
    lines: rules(DEFAULT),
  },
  full: {
    title: "Rules, at the length of the aims",
    note: "4 peers, 994k parameters, 2,000 steps each in 100 rounds, bytes of Moby-Dick, three seeds.",
    lines: rules(FULL),
  },
  attendance: {
    title: "Away, slow, late, early",
    note: "Starling dense in 4 bits; 10 peers, 109k parameters, 1,000 steps each in 100 rounds, three seeds.",
    lines: ATTENDANCE,
  },
  attacks: {
    title: "Attacks",
    note:
      "16 peers, 109k parameters, 60 steps each in 12 rounds, dense in 4 bits, one seed. Attackers also cite each other " +
      "and nobody else. Nats above the run of the same rule that nobody attacks; in brackets the share of the attackers' " +
      "contributions that was averaged in.",
    lines: ATTACKS,
    isMatrix: true,
  },
};
