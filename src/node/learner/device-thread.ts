/** The thread of one of several devices: an engine, and nothing that outlasts the round but what `give` hands over. */
import { parentPort } from "node:worker_threads";
import { createBirpc } from "birpc";
import { accept, assert, systemClock } from "../../core/index.ts";
import { type Engine, type TrainingState, createEngine } from "../../trainer/index.ts";
import { createShardSource } from "../data/run-data.ts";
import { deserialize, serialize } from "../threads/errors.ts";
import type { DeviceOwner, DeviceThread } from "./device-protocol.ts";
import { stateIn } from "./shared-state.ts";
import { Stepper } from "./stepper.ts";
import { engineOptions } from "./trainers.ts";

assert(parentPort !== null, "device-thread.ts runs in a worker");
const port = parentPort;
let open: { engine: Engine; stepper: Stepper; shared: TrainingState } | undefined;

function opened(): NonNullable<typeof open> {
  assert(open !== undefined, "the device is open");
  return open;
}

const PARTS = ["weights", "moment1", "moment2"] as const;

const thread: DeviceThread = {
  async open(options) {
    const engine = await createEngine(engineOptions(options, options));
    const shards = createShardSource(options.data, async (cid) => accept(await owner.block(cid)));
    const stepper = new Stepper(options, { engine, shards, clock: systemClock });
    open = { engine, stepper, shared: stateIn(options.shared) };
  },
  async train(order, share, stepsCount) {
    const { engine, stepper, shared } = opened();
    for (const part of PARTS) engine.state[part].set(shared[part]);
    engine.state.stepsCount = stepsCount;
    return stepper.run(order, share);
  },
  give(share, isFirst) {
    const { engine, shared } = opened();
    for (const part of PARTS) addTo(shared[part], { own: engine.state[part], share, isFirst });
    return Promise.resolve(true);
  },
  hurry: (round) => open?.stepper.hurry(round),
  evaluate: (tokens, weights) => opened().engine.evaluate(tokens, weights),
  async close() {
    try {
      await open?.engine.close();
    } finally {
      // The port keeps the thread alive; once the answer is out, nothing does.
      setImmediate(() => port.close());
    }
  },
};

/** shared[i] += share * own[i], from 0 for the first: (P,) each. */
function addTo(
  shared: Float32Array,
  { own, share, isFirst }: { own: Float32Array; share: number; isFirst: boolean },
): void {
  for (let i = 0; i < shared.length; i++) {
    const before = isFirst ? 0 : (shared[i] as number);
    shared[i] = before + share * (own[i] as number);
  }
}

const owner = createBirpc<DeviceOwner, DeviceThread>(thread, {
  post: (message) => port.postMessage(message),
  on: (listener) => port.on("message", listener),
  serialize,
  deserialize,
  eventNames: ["log"],
});
