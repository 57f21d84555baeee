/**
 * From the device to the host. The runtime's own way (`getData` of a tensor on the device) is not written for Node: it
 * throws where nobody can catch it and aborts the process (onnxruntime-node 1.30). What does work is a program that
 * leaves its output on the host; so there is one of a single Identity for each shape, and one tensor at a time is
 * copied.
 */
import { identity } from "../graph/layout.ts";
import { writeOnnx } from "../graph/onnx-writer.ts";
import { input } from "../graph/tensor.ts";
import {
  floatsOf,
  openSession,
  type Session,
  type SessionOptions,
  type Value,
  type Values,
} from "./session.ts";

export class DeviceCopies {
  readonly #o: SessionOptions;
  readonly #sessions = new Map<string, Session>();

  constructor(o: SessionOptions) {
    this.#o = { engine: o.engine, threads: o.threads, deviceIndex: o.deviceIndex };
  }

  /** The floats of a tensor, wherever it is. */
  async toHost(value: Value): Promise<Float32Array> {
    if (value.location === "cpu") return value.data as Float32Array;
    const session = await this.#sessionFor(value.dims);
    return floatsOf((await session.run({ value })) as Values, "copy");
  }

  async close(): Promise<void> {
    for (const session of this.#sessions.values()) await session.release();
    this.#sessions.clear();
  }

  async #sessionFor(shape: readonly number[]): Promise<Session> {
    const key = shape.join();
    const known = this.#sessions.get(key);
    if (known !== undefined) return known;
    const value = input("value", "float32", shape);
    const session = await openSession(writeOnnx([value], { copy: identity(value) }), this.#o);
    this.#sessions.set(key, session);
    return session;
  }
}
