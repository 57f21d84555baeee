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

const RARE: Scale = { ...LONG, stepsPerRound: 100 };

/** At the length of the aims, and what rarer rounds make of the same bytes. */
export const AT_LENGTH: readonly Line[] = [
  single("plain average", "average", LONG),
  starling("1/64, on 0.5 of the residual", { ...sparse(64), residualInStart: 0.5 }, LONG),
  starling(
    "1/64, on the residual, 1/8 for the last 3 %",
    { ...sparse(64, { ...LAST, share: 0.03 }), residualInStart: 1 },
    LONG,
  ),
  starling("1/16, on 0.5 of the residual", { ...sparse(256), residualInStart: 0.5 }, LONG),
  starling(
    "1/16, on the residual, 1/4 for the last 5 %",
    { ...sparse(256, { share: 0.05, keepPerChunk: 1024 }), residualInStart: 1 },
    LONG,
  ),
  starling("dense, rounds of 100 steps, on the residual", { ...sparse(4096), residualInStart: 1 }, RARE),
  starling("1/8, rounds of 100 steps, on the residual", { ...sparse(512), residualInStart: 1 }, RARE),
];
