/**
 * The worker thread that owns every parameter-sized array. What uses the engine goes one after the other; checking a
 * delta (`hold`) may come in between two steps, and so may `hurry`.
 */
import { join } from "node:path";
import { parentPort } from "node:worker_threads";
import { createBirpc } from "birpc";
import PQueue from "p-queue";
import type { Base } from "../../consensus/index.ts";
import { assert, bytesOf, messageOf, systemClock } from "../../core/index.ts";
import {
  type BlockStore,
  type CheckpointMeta,
  type CheckpointStore,
  type StateStore,
  bodyCid,
  createBlockStore,
  getBody,
  openCheckpoints,
  openStates,
  putBody,
  writeFiles,
} from "../../storage/index.ts";
import { growWeights } from "../../trainer/index.ts";
import { DiskPatience } from "../disk/patience.ts";
import { deserialize, serialize } from "../threads/errors.ts";
import { encodeBase } from "../join/base-record.ts";
import { openPhaseEnds } from "../climb/phase-ends.ts";
import { threadLog } from "../threads/log.ts";
import { Learner } from "./learner.ts";
import { type LearnerOptions, factsOf } from "./options.ts";
import { OpenTexts } from "./open-texts.ts";
import type { LearnerOwner, LearnerThread } from "./protocol.ts";

assert(parentPort !== null, "thread.ts runs in a worker");
const port = parentPort;
const turns = new PQueue({ concurrency: 1 });
/** What reads the settled weights as they are or moves them on; training goes on meanwhile. */
const settledTurns = new PQueue({ concurrency: 1 });
/** Each holds a copy of the weights; training goes on meanwhile. */
const measures = new PQueue({ concurrency: 1 });
const texts = new OpenTexts();
const stopping = new AbortController();
let open:
  | {
      learner: Learner;
      states: StateStore;
      checkpoints: CheckpointStore;
      ends: CheckpointStore;
      blocks: BlockStore;
    }
  | undefined;
/** What the phase ended with: (P,) of its model. */
let marked: Int32Array | undefined;

function opened(): NonNullable<typeof open> {
  assert(open !== undefined, "the learner is open");
  return open;
}

/** Where nothing else uses the engine or the settled weights. */
function lonelyTurn<T>(work: () => Promise<T>): Promise<T> {
  return turns.add(() => settledTurns.add(work));
}

async function closeOpen(): Promise<void> {
  if (open === undefined) return;
  await open.learner.close();
  try {
    await open.states.sync();
  } catch (error) {
    // The state is there for whoever starts the node again; only the death of the machine could still take it.
    log.warn("the last state may not outlive the machine", { error: messageOf(error) });
  }
}

function openLearner(options: LearnerOptions): Promise<Learner> {
  const deps = { clock: systemClock, log, secret: crypto.randomUUID() };
  return Learner.open(options, { ...deps, block: (cid) => owner.block(cid) });
}

const thread: LearnerThread = {
  facts: factsOf,
  open: (options, dataDir) =>
    turns.add(async () => {
      await closeOpen();
      const learner = await openLearner(options);
      const states = openStates(join(dataDir, "states"), { log });
      const checkpoints = openCheckpoints(join(dataDir, "checkpoints"), { log });
      const blocks = createBlockStore({
        dir: join(dataDir, "blocks"),
        temporaryDir: join(dataDir, "tmp"),
        log,
      });
      const ends = openPhaseEnds(dataDir, log);
      open = { learner, states, checkpoints, ends, blocks };
      return learner.facts();
    }),
  resume: (name, stateAfter) =>
    turns.add(async () => {
      const { learner, states } = opened();
      const parts = await states.load(name);
      return parts !== undefined && learner.resume(parts, stateAfter);
    }),
  hold: (id, body) => opened().learner.hold(id, body),
  judge: (round, candidates) => turns.add(() => opened().learner.judge(round, candidates)),
  fold: (plan) => settledTurns.add(() => opened().learner.fold(plan)),
  train: (name, order, own) =>
    turns.add(async () => {
      const { learner, states } = opened();
      // Whatever kills the process, the state of a round is there before its header is; that it outlives the machine, too,
      // is seen to while the next round trains, since it may take the disk as long as all else after the training.
      const durable = disk.write(() => states.sync());
      // Thrown below: nothing may end while the engine is at work.
      durable.catch(messageOf);
      const trained = await learner.train(order, own, (parts) =>
        disk.write(() => states.save(name, parts, { durable: false })),
      );
      await durable;
      return trained;
    }),
  hurry: (round) => open?.learner.hurry(round),
  evaluate: (which, batchesMax) => turns.add(() => opened().learner.evaluate(which, batchesMax)),
  openText: (options) => texts.open(opened().learner.generate(options)),
  nextText: (text) => texts.next(text),
  closeText: (text) => texts.close(text),
  settledFloats: () => opened().learner.settledFloats(),
  measure: (text) => measures.add(() => opened().learner.measure(text)),
  exportTo: (out, card) =>
    turns.add(async () => {
      const { files, weightsRoot } = opened().learner.exported(card);
      await writeFiles(out, files);
      return { files: [...files.keys()], weightsRoot };
    }),
  checkpoint: (meta, base) =>
    settledTurns.add(() => {
      const { learner, checkpoints } = opened();
      const bytes = learner.settledBytes;
      return disk.write(() => checkpoints.save(meta, bytes, recordOf(meta, base, bytes)));
    }),
  startFromSaved: (name) =>
    lonelyTurn(async () => {
      const { learner, checkpoints } = opened();
      const saved = await (name === undefined ? checkpoints.latestBase() : checkpoints.load(name));
      if (saved?.base === undefined) return undefined;
      learner.startFrom(saved.meta.round, int32Of(saved.weights));
      return saved.base;
    }),
  startFrom: (meta, record, cid) =>
    lonelyTurn(async () => {
      const { learner, checkpoints, blocks } = opened();
      const weights = await getBody(blocks, cid, learner.settledBytes.length);
      if (weights?.length !== learner.settledBytes.length) return false;
      await disk.write(() => checkpoints.save(meta, weights, record));
      learner.startFrom(meta.round, int32Of(weights));
      return true;
    }),
  keepSettled: () =>
    settledTurns.add(() => {
      const { learner, blocks } = opened();
      return disk.write(() => putBody(blocks, learner.settledBytes));
    }),
  mark: (meta, base) =>
    settledTurns.add(async () => {
      const { learner, ends } = opened();
      const bytes = learner.settledBytes;
      marked = learner.settledWeights;
      await disk.write(() => ends.save(meta, bytes, recordOf(meta, base, bytes)));
    }),
  startFromEnd: ({ phase, round, root }) =>
    lonelyTurn(async () => {
      const { learner, ends } = opened();
      const saved = await ends.latestOf(phase);
      if (saved?.base === undefined || saved.meta.round !== round || saved.meta.root !== root)
        return undefined;
      learner.startFrom(round, int32Of(saved.weights));
      return saved.base;
    }),
  climb: (options, growth) =>
    turns.add(async () => {
      assert(marked !== undefined, "a phase that is climbed from has ended");
      const { learner: below, ...stores } = opened();
      const start = bytesOf(growWeights(marked, growth));
      await below.close();
      open = { ...stores, learner: await openLearner({ ...options, start }) };
      marked = undefined;
      return open.learner.facts();
    }),
  close: () => {
    stopping.abort(new Error("the node is stopping"));
    return turns.add(async () => {
      await texts.closeAll();
      await measures.onIdle();
      await settledTurns.onIdle();
      await closeOpen();
      // The port keeps the thread alive; once the answer is out, nothing does.
      setImmediate(() => port.close());
    });
  },
};

function recordOf(
  { phase }: CheckpointMeta,
  base: Base | undefined,
  bytes: Uint8Array,
): Uint8Array | undefined {
  return base && encodeBase({ phase, base, weights: bodyCid(bytes) });
}

/** (P,) fixed point; `bytes` are in a buffer of their own. */
function int32Of(bytes: Uint8Array): Int32Array {
  return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
}

const owner = createBirpc<LearnerOwner, LearnerThread>(thread, {
  post: (message) => port.postMessage(message),
  on: (listener) => port.on("message", listener),
  serialize,
  deserialize,
  eventNames: ["log", "diskFull"],
});

const log = threadLog((level, message, context) => void owner.log(level, message, context));

const disk = new DiskPatience({
  clock: systemClock,
  log,
  signal: stopping.signal,
  changed: (lack) => void owner.diskFull(lack),
});
