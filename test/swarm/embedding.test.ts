/** N6: a node inside somebody else's program, as docs/embedding.md has it. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type ContributionEvent,
  type EvaluationEvent,
  type PhaseEvent,
  type RoundEvent,
  type SettledEvent,
  type StarlingNode,
  trainTokenizerOn,
} from "../../src/index.ts";
import { type TestFlock, startTestFlock } from "../../src/testing.ts";

const ROUNDS = 2;
const NODES = 2;
/** Of a tokenizer of its own: the 256 bytes, and a few words of the text. */
const VOCABULARY = 270;
const dir = await mkdtemp(join(tmpdir(), "embedding-"));

let flock: TestFlock;
let watched: StarlingNode;
const seen = {
  phase: [] as PhaseEvent[],
  round: [] as RoundEvent[],
  contribution: [] as ContributionEvent[],
  settled: [] as SettledEvent[],
  evaluation: [] as EvaluationEvent[],
};

/** Documents as a program has them: asked for one by one. */
let asked = 0;
async function* documents(): AsyncGenerator<string> {
  for (; asked < 50; asked++) yield `Bird ${asked} follows birds ${asked + 1} and ${asked + 7}. `.repeat(40);
}

/** A flock of two, and a third node that measures what they settle. */
beforeAll(async () => {
  await writeFile(join(dir, "birds.txt"), "Bird 3 follows birds 4 and 10. ".repeat(100));
  const tokenizerFile = await trainTokenizerOn({
    textPath: join(dir, "birds.txt"),
    vocabulary: VOCABULARY,
    field: "text",
  });
  flock = await startTestFlock({ nodes: NODES, rounds: ROUNDS, documents: documents(), tokenizerFile });
  watched = await flock.add({
    evaluate: async (settled, model) => {
      const { natsPerToken } = await model.measure("Bird 3 follows birds 4 and 10. ".repeat(40));
      return { natsPerToken, round: settled.round };
    },
  });
  watched.events.on("phase", (event) => seen.phase.push(event));
  watched.events.on("round", (event) => seen.round.push(event));
  watched.events.on("contribution", (event) => seen.contribution.push(event));
  watched.events.on("settled", (event) => seen.settled.push(event));
  watched.events.on("evaluation", (event) => seen.evaluation.push(event));
  await Promise.all(flock.nodes.map((node) => node.finished));
});
afterAll(async () => {
  await flock.stop();
  await rm(dir, { recursive: true, force: true });
});

describe("N6 an embedded node", () => {
  test("N6 tells of its phase, its rounds, everybody's contributions and what has settled", () => {
    expect(seen.phase.map(({ phase }) => phase)).toEqual([0]);
    expect(seen.round.every(({ phase }) => phase === 0)).toBe(true);
    const authors = new Set(seen.contribution.map(({ author }) => author));
    for (const { peerId } of flock.nodes.slice(0, NODES)) expect(authors).toContain(peerId);
    for (const { isOwn, author } of seen.contribution) expect(isOwn).toBe(author === watched.peerId);
    const trained = seen.contribution.filter(({ steps }) => steps > 0);
    expect(trained.length).toBeGreaterThan(0);
    for (const { deltaBytes, tokens } of trained) expect(Math.min(deltaBytes, tokens)).toBeGreaterThan(0);
    expect(new Set(seen.contribution.map(({ id }) => id)).size).toBe(seen.contribution.length);
    const rounds = seen.settled.map(({ round }) => round);
    expect(rounds).toEqual(rounds.toSorted((a, b) => a - b));
    expect(seen.settled.at(-1)).toMatchObject({ phase: 0, ...watched.status().settled });
  });

  test("N6 learns from documents that a program hands over one by one", () => {
    expect(asked).toBe(50);
    const { validationLossFirstNats, validationLossLastNats } = watched.status();
    expect(validationLossLastNats).toBeLessThan(Number(validationLossFirstNats));
  });

  test("N6 calls the program's own evaluation with settled states, the last one among them", () => {
    const last = seen.evaluation.at(-1);
    expect(last?.root).toBe(watched.status().settled?.root);
    expect(last?.scores).toEqual({ round: last?.round, natsPerToken: expect.any(Number) });
    expect(last?.scores["natsPerToken"]).toBeGreaterThan(0);
  });

  test("N6 gives the settled weights as typed arrays, the same at every node", async () => {
    const [one, other] = await Promise.all([watched.weights(), (flock.nodes[0] as StarlingNode).weights()]);
    expect(one.settled).toEqual(watched.status().settled);
    expect(other).toEqual(one);
    let count = 0;
    for (const [name, { shape, values }] of one.tensors) {
      expect(values.length, name).toBe(shape.reduce((product, length) => product * length, 1));
      expect(values.every(Number.isFinite), name).toBe(true);
      count += values.length;
    }
    expect(count).toBe(watched.status().parametersCount);
    const embedding = one.tensors.get("model.embed_tokens.weight");
    expect(embedding?.values.some((value) => value !== 0)).toBe(true);
    // A program's own tokenizer is the run's.
    expect(flock.manifest.tokenizer).not.toBe("bytes");
    expect(embedding?.shape[0]).toBe(VOCABULARY);
  });

  test("N6 stops cleanly, twice over, and its folder can be opened again", async () => {
    await watched.stop();
    await watched.stop();
    expect(watched.status().state).toBe("stopped");
    const again = await flock.add();
    expect(again.status().state).not.toBe("stopped");
  });
});
