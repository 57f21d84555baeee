/** Which rows a table is made of. */
import { ATTACK_NAMES, type AttackName } from "./attacks.ts";
import { type Line, PEERS, SHORT, type Scale, firstSeed, line, sparse } from "./lines.ts";
import { AT_LENGTH, AT_SIZE, SETTINGS } from "./own-settings.ts";
import { GATE_NAMES, type GateName, type RuleName } from "./settings.ts";

export interface Grid {
  readonly title: string;
  /** What a reader should know about the table. */
  readonly note: string;
  readonly lines: readonly Line[];
  /** The line that the others are compared with. */
  readonly reference: string;
  /** Lines that the README shows, in brief. */
  readonly inReadme?: readonly string[];
  /** Lines are named `row: column`, of which the reference is a row, of one run each, without curves. */
  readonly isMatrix?: true;
}

const PLAIN = "plain average";
const EVERYBODY = "everybody, always, alike";
const NOBODY = "nobody";

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
    line(PLAIN, "average", scale),
    line("DiLoCo", "diloco", scale),
    line("DiLoCo, outer 0.9, momentum 0.3", "diloco", scale, {
      options: { outerRate: 0.9, outerMomentum: 0.3 },
    }),
    line("NoLoCo", "noloco", scale),
    line("SparseLoCo 1/64", "sparseloco", scale),
    line("Starling, dense, 4 bits", "starling", scale),
    line("Starling, 1/16, 2 bits", "starling", scale, { options: sparse(256) }),
    line("Starling, 1/64, 2 bits", "starling", scale, { options: sparse(64) }),
    line("Starling, 1/16, on half of the residual", "starling", scale, {
      options: { ...sparse(256), residualInStart: 0.5 },
    }),
  ];
}

/** Steps by which the model has left the plateau of its first steps, where luck decides more than any rule. */
const WARM = 200;

/** E3: who is away, slow, late or early; on the dense rule and the small model. */
const ATTENDANCE: readonly Line[] = (() => {
  const scale: Scale = { model: "small", warmSteps: WARM, stepsPerNode: 100, stepsPerRound: 10 };
  const base = { peersCount: 10 };
  return [
    line(EVERYBODY, "starling", scale, base),
    line("30 % away each round", "starling", scale, { ...base, attendance: { dropShare: 0.3 } }),
    line("speeds 10x apart", "starling", scale, { ...base, attendance: { speedRatio: 10 } }),
    line("3 join half-way", "starling", scale, { ...base, attendance: { lateCount: 3 } }),
    line("3 leave half-way", "starling", scale, { ...base, attendance: { earlyCount: 3 } }),
  ];
})();

type Column = readonly [name: string, attackersCount: number, rule: RuleName, gates?: readonly GateName[]];

/** A matrix of single runs of 16 peers: attacks against rules. */
function attacks(names: readonly (AttackName | undefined)[], columns: readonly Column[]): readonly Line[] {
  const scale: Scale = { model: "small", warmSteps: WARM, stepsPerNode: 40, stepsPerRound: 5 };
  return names.flatMap((attack) =>
    columns.map(([name, attackersCount, rule, gates]) => ({
      name: `${attack ?? NOBODY}: ${name}`,
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
    })),
  );
}

/** E4: what attackers do to plain averaging, to the fold alone, and to peers that judge what they cite. */
const ATTACKS = attacks(
  [undefined, ...ATTACK_NAMES],
  [
    ["gates, 5 of 16", 5, "starling", GATE_NAMES],
    ["gates, 3 of 16", 3, "starling", GATE_NAMES],
    ["no gates, 5 of 16", 5, "starling"],
    ["plain average, 5 of 16", 5, "average"],
  ],
);

/** E4: each gate switched off. What the other attacks say is what ten times the flip says. */
const GATES = attacks(
  [undefined, "flip10", "labels", "copy", "zero", "replay"],
  [
    ["both gates", 5, "starling", GATE_NAMES],
    ["without cosine", 5, "starling", ["copy"]],
    ["without copy", 5, "starling", ["cosine"]],
  ],
);

export const grids: Readonly<Record<string, Grid>> = {
  quick: {
    title: "Rules, quick",
    note: "The same with the first seed alone.",
    lines: rules(SHORT).map(firstSeed),
    reference: PLAIN,
  },
  default: {
    title: "Rules",
    note: "4 peers, 109k parameters, 200 steps each in 20 rounds, bytes of Moby-Dick, three seeds.",
    lines: rules(SHORT),
    reference: PLAIN,
    inReadme: [
      "one node alone",
      "local only",
      "plain average",
      "DiLoCo, outer 0.9, momentum 0.3",
      "NoLoCo",
      "SparseLoCo 1/64",
      "Starling, dense, 4 bits",
      "Starling, 1/16, on half of the residual",
      "Starling, 1/64, 2 bits",
    ],
  },
  full: {
    title: "Settings, at the length of the aims",
    note:
      "4 peers, 109k parameters, 2,000 steps each, in 100 rounds where nothing else is said, two bits, bytes of Moby-Dick, " +
      "three seeds or the first of them, compared with the same of plain averaging.",
    lines: AT_LENGTH,
    reference: PLAIN,
    inReadme: AT_SIZE.map(({ name }) => name),
  },
  million: {
    title: "Settings, at the length and the size of the aims",
    note: "4 peers, 994k parameters, 2,000 steps each, in 100 rounds where nothing else is said, two bits, bytes of Moby-Dick, one seed.",
    lines: AT_SIZE,
    reference: PLAIN,
    inReadme: AT_SIZE.map(({ name }) => name),
  },
  settings: {
    title: "Settings",
    note:
      "4 peers, 109k parameters, 500 steps each in 50 rounds, two bits where nothing else is said, bytes of Moby-Dick, one " +
      "seed.",
    lines: SETTINGS,
    reference: PLAIN,
  },
  attendance: {
    title: "Away, slow, late, early",
    note:
      "Starling dense in 4 bits; 10 peers, 109k parameters that one learner trained for 200 steps, then 100 steps each in 10 " +
      "rounds, three seeds. Who is away learns nothing: those rows have fewer tokens.",
    lines: ATTENDANCE,
    reference: EVERYBODY,
  },
  attacks: {
    title: "Attacks",
    note:
      `16 peers, of which 5 or 3 attack; 109k parameters that one learner trained for ${WARM} steps, then 40 steps each in 8 rounds, ` +
      "dense in 4 bits, one seed. Attackers also cite each other and nobody else. Nats above the run of the same " +
      "rule that nobody attacks (first line); in brackets the share of the attackers' contributions that was averaged in.",
    lines: ATTACKS,
    reference: NOBODY,
    isMatrix: true,
  },
  gates: {
    title: "Each gate switched off",
    note: "The same, 5 of 16.",
    lines: GATES,
    reference: NOBODY,
    isMatrix: true,
  },
};
