/** E2: what Starling's rule does under settings of its own. */
import { LONG, type Last, type Line, MIDDLE, type Scale, firstSeed, line, sparse } from "./lines.ts";
import type { RuleOptions } from "./settings.ts";

function starling(name: string, options: RuleOptions, scale: Scale = MIDDLE): Line {
  return single(name, "starling", scale, { options });
}

function single(...given: Parameters<typeof line>): Line {
  return firstSeed(line(...given));
}

function onResidual(keepPerChunk: number, residualInStart: number, last?: Last): Line {
  const name = `1/${4096 / keepPerChunk}, on ${residualInStart} of the residual`;
  return starling(last === undefined ? name : `${name}, 1/8 for the last 6 %`, {
    ...sparse(keepPerChunk, last),
    ...(residualInStart > 0 && { residualInStart }),
  });
}

const LAST: Last = { share: 0.06, keepPerChunk: 512 };

/** At 500 steps. */
export const SETTINGS: readonly Line[] = [
  single("plain average", "average", MIDDLE),
  starling("dense, 4 bits, on 0.5 of the residual", {
    codec: [{ fromShare: 0, keepPerChunk: 4096, valueBits: 4 }],
    residualInStart: 0.5,
  }),
  ...[0, 0.5, 1].map((share) => onResidual(256, share)),
  ...[0, 0.25, 0.5, 0.75, 1].map((share) => onResidual(64, share)),
  ...[0.5, 1].map((share) => onResidual(64, share, LAST)),
  starling("1/64, beta 0.9", { ...sparse(64), residualBeta: 0.9 }),
];

/** In two bits: how many of each chunk from which share of the run on. */
function staged(
  ...stages: readonly (readonly [fromShare: number, keepPerChunk: number])[]
): Pick<RuleOptions, "codec"> {
  return { codec: stages.map(([fromShare, keepPerChunk]) => ({ fromShare, keepPerChunk, valueBits: 2 })) };
}

const RARE: Scale = { ...LONG, stepsPerRound: 100 };
const DENSE = 4096;
const REST: Last = { share: 0.05, keepPerChunk: DENSE };

/** What the aims are about: the three that are compared, and the two that come nearest, at 64 times fewer bytes and at 200. */
function aims(scale: Scale): readonly Line[] {
  const rare = { ...scale, stepsPerRound: RARE.stepsPerRound };
  return [
    line("plain average", "average", scale),
    line("one node alone", "alone", scale, { peersCount: 1 }),
    line("1/16, on 0.5 of the residual", "starling", scale, {
      options: { ...sparse(256), residualInStart: 0.5 },
    }),
    line("1/10, then dense for the last 5 %, rounds of 100 steps, on the residual", "starling", rare, {
      options: { ...sparse(410, REST), residualInStart: 1 },
    }),
  ];
}

/** 200 times in the rounds of everybody else. */
function often(scale: Scale): readonly Line[] {
  return [
    starling("1/64, on 0.5 of the residual", { ...sparse(64), residualInStart: 0.5 }, scale),
    starling(
      "1/95, on 0.5 of the residual, 1/8 for the last 6 %",
      { ...sparse(43, LAST), residualInStart: 0.5 },
      scale,
    ),
  ];
}

/** At the length of the aims, and what rarer rounds make of the same bytes. */
export const AT_LENGTH: readonly Line[] = [
  ...aims(LONG),
  ...often(LONG),
  starling(
    "1/64, on the residual, 1/8 for the last 3 %",
    { ...sparse(64, { ...LAST, share: 0.03 }), residualInStart: 1 },
    LONG,
  ),
  starling(
    "1/16, on the residual, 1/4 for the last 5 %",
    { ...sparse(256, { share: 0.05, keepPerChunk: 1024 }), residualInStart: 1 },
    LONG,
  ),
  starling(
    "1/23, then dense for the last 2.5 %, rounds of 50 steps, on the residual",
    { ...sparse(180, { ...REST, share: 0.025 }), residualInStart: 1 },
    { ...LONG, stepsPerRound: 50 },
  ),
  starling("dense, rounds of 100 steps, on the residual", { ...sparse(DENSE), residualInStart: 1 }, RARE),
  starling("1/8, rounds of 100 steps, on the residual", { ...sparse(512), residualInStart: 1 }, RARE),
  starling(
    "1/9.3, then dense for the last 5 %, rounds of 100 steps, on the residual",
    { ...sparse(440, REST), residualInStart: 1 },
    RARE,
  ),
  starling(
    "1/10, then dense for the last 5 %, rounds of 100 steps, on 0.5 of the residual",
    { ...sparse(410, REST), residualInStart: 0.5 },
    RARE,
  ),
  starling(
    "1/11, then dense in 4 bits for the last 5 %, rounds of 100 steps, on the residual",
    {
      codec: [
        { fromShare: 0, keepPerChunk: 372, valueBits: 2 },
        { fromShare: 0.95, keepPerChunk: DENSE, valueBits: 4 },
      ],
      residualInStart: 1,
    },
    RARE,
  ),
  starling(
    "1/12, then dense for the last 10 %, rounds of 100 steps, on the residual",
    { ...sparse(341, { ...REST, share: 0.1 }), residualInStart: 1 },
    RARE,
  ),
  starling(
    "1/12, dense for the first and the last 5 %, rounds of 100 steps, on the residual",
    { ...staged([0, DENSE], [0.05, 341], [0.95, DENSE]), residualInStart: 1 },
    RARE,
  ),
  line(
    "1/10.5, dense for the first and the last 5 %, rounds of 100 steps, on the residual",
    "starling",
    RARE,
    {
      options: { ...staged([0, DENSE], [0.05, 390], [0.95, DENSE]), residualInStart: 1 },
    },
  ),
  starling(
    "1/64, then 1/6, then dense for the last 5 %, rounds of 100 steps, on the residual",
    { ...staged([0, 64], [0.5, 683], [0.95, DENSE]), residualInStart: 1 },
    RARE,
  ),
  starling(
    "1/32, then dense for the last 30 %, rounds of 100 steps, on the residual",
    { ...sparse(128, { ...REST, share: 0.3 }), residualInStart: 1 },
    RARE,
  ),
  starling(
    "1/64, then dense for the last 20 %, rounds of 100 steps, on the residual",
    { ...sparse(64, { ...REST, share: 0.2 }), residualInStart: 1 },
    RARE,
  ),
  starling(
    "dense, rounds of 250 steps, on the residual",
    { ...sparse(DENSE), residualInStart: 1 },
    { ...LONG, stepsPerRound: 250 },
  ),
];

/** At the size of the aims too. */
const LARGE: Scale = { ...LONG, model: "flight" };
export const AT_SIZE: readonly Line[] = [
  ...aims(LARGE),
  ...often(LARGE),
  starling("1/64, on 0.25 of the residual", { ...sparse(64), residualInStart: 0.25 }, LARGE),
  starling(
    "1/28, rounds of 40 steps, on 0.5 of the residual",
    { ...sparse(146), residualInStart: 0.5 },
    { ...LARGE, stepsPerRound: 40 },
  ),
].map(firstSeed);
