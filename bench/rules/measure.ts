/** One row: peers trained in turn in one process, on one engine, each with its own moments. */
import { toFixed } from "../../src/core/index.ts";
import {
  type Engine,
  assignedBatch,
  createEngine,
  initialWeights,
  learningRate,
  parametersCount,
  tensorLengths,
} from "../../src/trainer/index.ts";
import { attack, flipLabels } from "./attacks.ts";
import { stepsOf } from "./attendance.ts";
import { type Exchange, type Turn, floatsOf } from "./exchange.ts";
import { exchanges } from "./exchange/all.ts";
import type { Point, Row } from "./row.ts";
import type { Settings } from "./settings.ts";
import { type Subject, subjectOf } from "./subject.ts";

/** Points of a curve, besides the first. */
const POINTS = 20;

/** A peer's own AdamW state and where it is in its batches. */
interface Learner {
  readonly moment1: Float32Array; // (P,)
  readonly moment2: Float32Array; // (P,)
  stepsCount: number;
  /** Its first delta, where it attacks. */
  first: Float32Array | undefined;
}

export async function measure(given: Settings, commit: string): Promise<Row> {
  const settings = asFlock(given);
  const subject = await subjectOf(given.model);
  // One learner with everybody's batch is what averaging gradients at every step comes to.
  const scale = given.rule === "synchronous" ? given.peersCount : 1;
  const sequences = subject.sequences * scale;
  const { model, optimizer } = subject;
  const engine = await createEngine({ engine: "cpu", model, optimizer, sequences, threads: 1 });
  const roundsCount = Math.round(settings.stepsPerNode / settings.stepsPerRound);
  const evaluator = await createEngine({
    engine: "cpu",
    model,
    optimizer,
    sequences: subject.sequences,
    threads: 1,
  });
  const { warmSteps = 0 } = settings;
  // Who goes on has been warmed up, and was at the peak until now.
  const schedule = warmSteps > 0 ? { ...optimizer, warmupShare: 0 } : optimizer;
  const warm = {
    learner: newLearner(parametersCount(model)),
    start: floatsOf(initialWeights(model, `rules/${settings.seed}`)),
  };
  if (warmSteps > 0)
    warm.start = await train(engine, warm.learner, {
      start: warm.start,
      steps: warmSteps,
      subject: { ...subject, sequences },
      seed: `warm/${settings.seed}`,
      lrAt: () => optimizer.lrMax,
      learnsWrong: false,
    });
  const exchange = exchanges[settings.rule](
    {
      peersCount: settings.peersCount,
      start: Int32Array.from(warm.start, toFixed),
      lengths: tensorLengths(model),
      roundsCount,
      seed: settings.seed,
    },
    settings.options ?? {},
  );
  const learners = Array.from({ length: settings.peersCount }, () => ({
    ...warm.learner,
    moment1: warm.learner.moment1.slice(),
    moment2: warm.learner.moment2.slice(),
  }));
  let tokens = 0;
  let bytes = 0;
  const point = async (steps: number): Promise<Point> => ({
    steps,
    tokens,
    bytesPerNode: Math.round(bytes / given.peersCount),
    validationLossNats: await lossOf(evaluator, exchange, subject),
  });
  const curve = [await point(0)];
  const every = Math.max(1, Math.floor(roundsCount / POINTS));
  for (let round = 0; round < roundsCount; round++) {
    const turns: Turn[] = [];
    for (const [peer, steps] of stepsOf(settings, round).entries()) {
      if (steps === 0) continue;
      const learner = learners[peer] as Learner;
      const from = round * settings.stepsPerRound;
      const isHostile = peer >= settings.peersCount - (settings.attackersCount ?? 0);
      const end = await train(engine, learner, {
        start: exchange.startOf(peer),
        steps,
        subject: { ...subject, sequences },
        seed: `rules/${settings.seed}/${round}/${peer}`,
        lrAt: (share) => learningRate(schedule, from + share * settings.stepsPerRound, settings.stepsPerNode),
        learnsWrong: isHostile && settings.attack === "labels",
      });
      const done = steps * sequences * model.contextLength;
      tokens += done;
      turns.push({ peer, end, tokens: done, isHostile });
    }
    if (settings.attack !== undefined)
      poison(settings, round, { turns, learners, startOf: (peer) => exchange.startOf(peer) });
    bytes += exchange.combine(turns) * scale;
    if ((round + 1) % every === 0 || round + 1 === roundsCount)
      curve.push(await point((round + 1) * settings.stepsPerRound));
  }
  await engine.close();
  await evaluator.close();
  const last = curve.at(-1) as Point;
  const { rule, peersCount, seed, stepsPerNode } = given;
  return {
    rule,
    peersCount,
    seed,
    stepsPerNode,
    tokens,
    bytesPerNode: rule === "alone" || rule === "local" ? 0 : last.bytesPerNode,
    validationLossNats: last.validationLossNats,
    attack: settings.attack ?? null,
    attackersCount: settings.attackersCount ?? 0,
    ...((settings.attackersCount ?? 0) > 0 && {
      hostileIncludedShare: exchange.hostileIncludedShare?.() ?? 1,
    }),
    commit,
    settings: given,
    parametersCount: parametersCount(model),
    curve,
  };
}

function newLearner(count: number): Learner {
  const [moment1, moment2] = [new Float32Array(count), new Float32Array(count)];
  return { moment1, moment2, stepsCount: 0, first: undefined };
}

/** The synchronous rule exchanges at every step, and its flock is one learner. */
function asFlock(settings: Settings): Settings {
  return settings.rule === "synchronous" ? { ...settings, peersCount: 1, stepsPerRound: 1 } : settings;
}

async function train(
  engine: Engine,
  learner: Learner,
  o: {
    start: Float32Array;
    steps: number;
    subject: Subject;
    seed: string;
    /** Learning rate at a share of the round. */
    lrAt: (share: number) => number;
    learnsWrong: boolean;
  },
): Promise<Float32Array> {
  const { state } = engine;
  state.weights.set(o.start);
  state.moment1.set(learner.moment1);
  state.moment2.set(learner.moment2);
  state.stepsCount = learner.stepsCount;
  await engine.load();
  const { sequences, train: text, model } = o.subject;
  for (let step = 0; step < o.steps; step++) {
    const { contextLength } = model;
    const tokens = assignedBatch(text, { seed: o.seed, step, sequences, contextLength });
    await engine.step(o.learnsWrong ? flipLabels(tokens) : tokens, o.lrAt(step / o.steps));
  }
  await engine.sync();
  learner.moment1.set(state.moment1);
  learner.moment2.set(state.moment2);
  learner.stepsCount = state.stepsCount;
  return state.weights.slice();
}

/** Attackers send something else than what they learned: their turns' ends are written over. */
function poison(
  { attack: name, seed }: Settings,
  round: number,
  {
    turns,
    learners,
    startOf,
  }: {
    turns: readonly Turn[];
    learners: readonly Learner[];
    startOf: (peer: number) => Float32Array;
  },
): void {
  if (name === undefined) return;
  const learned = ({ peer, end }: Turn): Float32Array => startOf(peer).map((x, i) => x - (end[i] as number));
  const honest = turns.filter(({ isHostile }) => !isHostile).map(learned);
  for (const turn of turns.filter(({ isHostile }) => isHostile)) {
    const start = startOf(turn.peer);
    const learner = learners[turn.peer] as Learner;
    const own = learned(turn);
    const delta = attack(name, {
      start,
      honest,
      own,
      first: learner.first,
      // One seed for all of them would be seen at once; they act together all the same.
      seed: `attack/${seed}/${round}/${turn.peer}`,
    });
    learner.first ??= own;
    start.forEach((x, i) => (turn.end[i] = x - (delta[i] as number)));
  }
}

async function lossOf(engine: Engine, exchange: Exchange, { heldOut }: Subject): Promise<number> {
  const models = exchange.models();
  let sum = 0;
  for (const model of models) for (const batch of heldOut) sum += await engine.evaluate(batch, model);
  return sum / (models.length * heldOut.length);
}
