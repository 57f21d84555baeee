/**
 * The thread that writes: it alone holds weights, and the runtime blocks it while a token is computed. Texts that are
 * written at once take turns token by token, since each goes on only when the server asks for more of it.
 */
import { parentPort } from "node:worker_threads";
import { createBirpc } from "birpc";
import PQueue from "p-queue";
import { accept, assert, reject } from "../../core/index.ts";
import type { TextPart } from "../../serving/index.ts";
import { TextStream, drawTokens } from "../../trainer/index.ts";
import { deserialize, serialize } from "../threads/errors.ts";
import { threadLog } from "../threads/log.ts";
import { openSource } from "./model-source.ts";
import type { WriterOwner, WriterThread } from "./protocol.ts";
import { type ModelInUse, Shelf } from "./shelf.ts";

interface OpenText {
  readonly model: ModelInUse;
  readonly tokens: AsyncGenerator<number, boolean>;
  readonly stream: TextStream;
}

assert(parentPort !== null, "thread.ts runs in a worker");
const port = parentPort;
const refreshes = new PQueue({ concurrency: 1 });
const texts = new Map<number, OpenText>();
let lastText = 0;
let shelf: Shelf | undefined;

function opened(): Shelf {
  assert(shelf !== undefined, "the writer is open");
  return shelf;
}

const thread: WriterThread = {
  async open(options) {
    shelf = new Shelf(options, await openSource(options.place, log));
  },
  refresh: () => refreshes.add(() => opened().refresh()),
  begin({ prompt, tokensMax, temperature, topP, seed }) {
    const model = opened().newest;
    // The server asks for texts only when it knows of a model.
    if (model === undefined) return Promise.resolve(reject("NO_MODEL", "expected a model, got none yet"));
    const encoded = model.tokensOf(prompt);
    if (encoded.kind !== "accept") return Promise.resolve(encoded);
    const tokens = encoded.value;
    const { contextTokens, fingerprint } = model.facts;
    const room = contextTokens - tokens.length;
    const drawn = drawTokens(model.decoder(), tokens, {
      tokensMax: Math.min(tokensMax ?? room, room),
      temperature,
      topP,
      seed,
      endTokens: model.endTokens,
    });
    texts.set(++lastText, { model, tokens: drawn, stream: new TextStream(model.tokenizer) });
    return Promise.resolve(accept({ text: lastText, promptTokens: tokens.length, fingerprint }));
  },
  async next(number): Promise<TextPart> {
    const text = texts.get(number);
    assert(text !== undefined, "a text is read on until it is ended");
    const { done, value } = await text.tokens.next();
    if (done !== true) return { kind: "token", text: text.stream.push(value) };
    return { kind: "end", text: text.stream.end(), reason: value ? "model" : "length" };
  },
  async end(number) {
    const text = texts.get(number);
    if (text === undefined) return;
    texts.delete(number);
    await text.tokens.return(false);
    text.model.release();
  },
  async close() {
    await refreshes.onIdle();
    for (const number of texts.keys()) await thread.end(number);
    await shelf?.close();
    // The port keeps the thread alive; once the answer is out, nothing does.
    setImmediate(() => port.close());
  },
};

const owner = createBirpc<WriterOwner, WriterThread>(thread, {
  post: (message) => port.postMessage(message),
  on: (listener) => port.on("message", listener),
  serialize,
  deserialize,
  eventNames: ["log"],
});

const log = threadLog((level, message, context) => void owner.log(level, message, context));
