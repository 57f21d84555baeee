/**
 * How small deltas are: the flight model trains for real on Moby-Dick, a few learners in turn, every round is averaged as
 * a node would, and each round's bodies are weighed. Residuals of real training are no normal noise: what is kept
 * clusters. `npm run bench:deltas -- --rounds 12 --keep 64 --bits 2`
 */
import { Command } from "commander";
import Table from "cli-table3";
import { type CodecSchedule, codecScheduleSchema } from "../src/codec/index.ts";
import { type ContributionId, silentLog, systemClock } from "../src/core/index.ts";
import { Learner } from "../src/node/learner/learner.ts";
import { presetOf } from "../src/node/presets/presets.ts";
import { parametersCount } from "../src/trainer/index.ts";
import { mobyDick } from "./book.ts";

const options = new Command("bench:deltas")
  .option("--rounds <n>", "rounds of training", Number, 12)
  .option("--peers <n>", "learners that average", Number, 2)
  .option("--steps <n>", "inner steps of a round", Number, 10)
  .option("--keep <n>", "elements kept of each chunk of 4096", Number, 64)
  .option("--bits <n>", "bits of a value: 2, 4 or 8", Number, 2)
  .option("--beta <x>", "share of the residual that is carried on", Number, 0.95)
  .parse()
  .opts<{ rounds: number; peers: number; steps: number; keep: number; bits: number; beta: number }>();

const { phase } = presetOf("flight").rungs[0];
const { model, optimizer, roundMsMax } = phase;
const batch = { ...phase.batch, stepsPerRound: options.steps, stepsMax: options.steps };
const codec: CodecSchedule = codecScheduleSchema.parse([
  { fromTokens: 0, keepPerChunk: options.keep, valueBits: options.bits },
]);
const tokensPerRound = options.peers * options.steps * batch.sequences * model.contextLength;
const shards = mobyDick();
const data = { train: shards.train, heldOut: shards.heldOut, vocabulary: 256, tokenizerFile: null };

const learners = await Promise.all(
  Array.from({ length: options.peers }, () =>
    Learner.open(
      {
        model,
        optimizer,
        batch,
        codec,
        residualBeta: options.beta,
        tokensBudget: options.rounds * tokensPerRound,
        roundMsMax,
        seed: "1",
        data,
        start: null,
        engine: "cpu",
        threads: 1,
      },
      {
        clock: systemClock,
        log: silentLog,
        block: async (cid) => Uint8Array.from(await shards.read({ cid, tokens: 0 })),
        secret: "",
      },
    ),
  ),
);

const floatBytes = 4 * parametersCount(model);
const table = new Table({ head: ["round", "loss", "body bytes", "least ratio", "mean ratio"] });
const ratios: number[] = [];
for (let round = 0; round < options.rounds; round++) {
  const bodies: { id: ContributionId; bytes: Uint8Array }[] = [];
  const losses: number[] = [];
  for (const [peer, learner] of learners.entries()) {
    const { result, delta } = await learner.train(
      {
        round,
        closing: false,
        seed: `${round}/${peer}` as never,
        tokensDone: round * tokensPerRound,
        flockSize: options.peers,
        settledTokens: 0,
        restore: [],
        withdraw: [],
      },
      { restore: [], withdraw: [] },
    );
    if (delta === null) throw new Error("expected every round to train");
    bodies.push({ id: `${round}/${peer}` as ContributionId, bytes: delta.bytes });
    losses.push(result.work.lossLast ?? Number.NaN);
  }
  const terms = bodies.map(({ id }) => ({
    id,
    cid: id as never,
    factor: Math.floor(2 ** 20 / options.peers),
  }));
  for (const learner of learners) {
    for (const { id, bytes } of bodies) {
      const held = learner.hold(id, { bytes, settledTokens: 0 });
      if (held.kind !== "accept") throw new Error(held.detail);
    }
    learner.fold({ round: round + 1, from: round, settledRound: round + 1, rounds: [{ round, terms }] });
  }
  const sizes = bodies.map(({ bytes }) => bytes.length);
  const each = sizes.map((size) => floatBytes / size);
  ratios.push(...each);
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  table.push([
    round,
    mean(losses).toFixed(3),
    sizes.join(" "),
    Math.min(...each).toFixed(1),
    mean(each).toFixed(1),
  ]);
}
for (const learner of learners) await learner.close();
const { keep, bits, beta } = options;
console.log(
  `${parametersCount(model)} parameters, keep ${keep} of 4096, ${bits} bits, beta ${beta}; float32: ${floatBytes} bytes`,
);
console.log(table.toString());
console.log(`least ratio ${Math.min(...ratios).toFixed(1)}`);
