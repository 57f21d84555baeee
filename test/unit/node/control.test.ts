import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { type IncomingMessage, request as httpRequest } from "node:http";
import { type Server, createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  type ContributionId,
  type Logger,
  type PeerId,
  type RunId,
  StarlingError,
  silentLog,
  type Cid,
} from "../../../src/core/index.ts";
import { connectControl } from "../../../src/node/control/client.ts";
import { controlPath } from "../../../src/node/control/path.ts";
import { type ControlTarget, REQUEST_BYTES_MAX } from "../../../src/node/control/routes.ts";
import { type ControlOptions, assertDataIsFree, createControl } from "../../../src/node/control/server.ts";
import type { CreditsPage } from "../../../src/node/credits/credits.ts";
import { aStatus } from "../../support/status.ts";

let dataDir: string;
const toStop: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "control-"));
});

afterEach(async () => {
  for (const stop of toStop.splice(0).reverse()) await stop();
  await rm(dataDir, { recursive: true, force: true });
});

const target: ControlTarget = {
  status: () => aStatus({ round: 7 }),
  exportTo: async (out) => [`${out}/model.safetensors`],
  generate: async function* ({ prompt, tokensMax }) {
    yield prompt;
    for (let i = 0; i < tokensMax; i++) yield "é";
  },
  credits: (fromRound) => pageOf(fromRound),
  pause: () => undefined,
  resume: () => undefined,
  proposals: async () => [],
  propose: async () => "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy" as Cid,
  support: async () => undefined,
  runs: async () => [],
  farewell: async () => undefined,
};

/** One round a page, and a third round that settled after the first page was sent. */
function pageOf(fromRound: number): CreditsPage {
  const [run, author, contribution] = ["run" as RunId, "ada" as PeerId, `c${fromRound}` as ContributionId];
  const line = { contribution, author, phase: 0, round: fromRound, tokens: 5, credits: "10" };
  const rounds = fromRound === 0 ? 2 : 3;
  const phases = [{ phase: 0, rounds, perToken: 2 }];
  return { run, phases, rounds, lines: [line], nextRound: fromRound < 2 ? fromRound + 1 : null };
}

async function serve(options: Partial<ControlOptions> = {}): Promise<ReturnType<typeof createControl>> {
  const control = createControl({
    dataDir,
    target,
    requestStop: () => undefined,
    log: silentLog,
    ...options,
  });
  await control.start();
  toStop.push(() => control.stop());
  return control;
}

interface Answer {
  readonly status: number | undefined;
  readonly body: unknown;
}

/** A request as nobody's client would make it. */
async function raw(method: string, path: string, body: string | Buffer = ""): Promise<Answer> {
  const request = httpRequest({ socketPath: await controlPath(dataDir), method, path, agent: false });
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request.on("response", resolve).on("error", reject).end(body);
  });
  return { status: response.statusCode, body: JSON.parse((await response.toArray()).join("")) };
}

async function client(): Promise<NonNullable<Awaited<ReturnType<typeof connectControl>>>> {
  const found = await connectControl(dataDir);
  if (found === undefined) throw new Error("expected a daemon");
  return found;
}

describe("the control socket", () => {
  test("R9 gives credits page by page, as of the first page", async () => {
    await serve();
    const credits = await (await client()).credits();
    expect(credits).toMatchObject({ run: "run", phases: [{ rounds: 2, perToken: 2 }], rounds: 2 });
    expect(credits.lines.map(({ round, contribution }) => `${round} ${contribution}`)).toEqual([
      "0 c0",
      "1 c1",
    ]);
  });

  test("gives the status as it is, exports and samples", async () => {
    await serve();
    const daemon = await client();
    expect(await daemon.status()).toEqual(aStatus({ round: 7 }));
    expect(await daemon.exportTo("/somewhere")).toEqual(["/somewhere/model.safetensors"]);
    expect(await arrayOf(daemon.generate({ ...TEXT, prompt: "ab", tokensMax: 3 }))).toBe("abééé");
  });

  test("is open to its owner only", async () => {
    await serve();
    expect((await stat(await controlPath(dataDir))).mode & 0o777).toBe(0o600);
  });

  test("stop() removes the socket, may be called twice, and nobody answers afterwards", async () => {
    const control = await serve();
    await control.stop();
    await control.stop();
    expect(await readdir(dataDir)).toEqual([]);
    expect(await connectControl(dataDir)).toBeUndefined();
  });

  test("connectControl() finds nobody in an empty or missing folder", async () => {
    expect(await connectControl(dataDir)).toBeUndefined();
    expect(await connectControl(join(dataDir, "missing"))).toBeUndefined();
  });

  test("POST /stop is answered when the service has stopped, and then the folder is free", async () => {
    const asked = Promise.withResolvers<void>();
    const control = await serve({ requestStop: asked.resolve });
    let answered = false;
    const stopped = (await client()).stop().then(() => {
      answered = true;
    });
    await asked.promise;
    expect(answered).toBe(false);
    await control.stop();
    await stopped;
    await assertDataIsFree(dataDir);
    await serve();
    expect((await (await client()).status()).round).toBe(7);
  });

  test("stop() does not wait for a caller who asked to stop and went away", async () => {
    const asked = Promise.withResolvers<void>();
    const control = await serve({ requestStop: asked.resolve });
    const request = httpRequest({ socketPath: await controlPath(dataDir), method: "POST", path: "/stop" });
    request.on("error", () => undefined);
    request.end();
    await asked.promise;
    request.destroy();
    await control.stop();
    expect(await connectControl(dataDir)).toBeUndefined();
  });

  test("stop() breaks off a request that is still being answered", async () => {
    const entered = Promise.withResolvers<void>();
    const forever = async (): Promise<string[]> => {
      entered.resolve();
      return new Promise(() => undefined);
    };
    const control = await serve({ target: { ...target, exportTo: forever } });
    const failed = (await client()).exportTo("/a").catch((error: unknown) => error);
    await entered.promise;
    await control.stop();
    expect(await failed).toMatchObject({ code: "CONTROL_FAILED" });
  });
});

describe("T10 text comes over the socket as it is written", () => {
  test("bit by bit; what goes wrong at once is an error with its code, what goes wrong later breaks it off", async () => {
    const gate = Promise.withResolvers<void>();
    let failsAt = 1;
    const generate = async function* (): AsyncGenerator<string> {
      if (failsAt === 0) throw new StarlingError("GENERATE_BUSY", "not now");
      yield "first";
      await gate.promise;
      throw new StarlingError("GENERATE_BROKE", "later");
    };
    await serve({ target: { ...target, generate } });
    const text = (await client()).generate(TEXT);
    // It is here although the next has not been written.
    expect((await text.next()).value).toBe("first");
    gate.resolve();
    await expect(text.next()).rejects.toMatchObject({ code: "CONTROL_FAILED" });
    failsAt = 0;
    await expect((await client()).generate(TEXT).next()).rejects.toMatchObject({ code: "GENERATE_BUSY" });
    expect((await (await client()).status()).round).toBe(7);
  });

  test("when nobody wants the rest it is not written", async () => {
    const ended = Promise.withResolvers<void>();
    const generate = async function* (): AsyncGenerator<string> {
      try {
        for (;;) yield "x".repeat(10_000);
      } finally {
        ended.resolve();
      }
    };
    await serve({ target: { ...target, generate } });
    for await (const part of (await client()).generate(TEXT)) {
      expect(part).toMatch(/^x/);
      break;
    }
    await ended.promise;
  });
});

const TEXT = { prompt: "", tokensMax: 1, temperature: 1, topP: 1, seed: "s" };

async function arrayOf(parts: AsyncIterable<string>): Promise<string> {
  let text = "";
  for await (const part of parts) text += part;
  return text;
}

describe("a bad request gets a JSON error and the daemon goes on", () => {
  test.each([
    ["an unknown path", "GET", "/nope", "", 404, "CONTROL_UNKNOWN_ROUTE"],
    ["a known path with the wrong method", "DELETE", "/status", "", 404, "CONTROL_UNKNOWN_ROUTE"],
    ["a body that is no JSON", "POST", "/export", "{out:", 400, "CONTROL_BAD_JSON"],
    ["no body where one is needed", "POST", "/export", "", 400, "CONTROL_BAD_REQUEST"],
    ["a relative path", "POST", "/export", '{"out":"model"}', 400, "CONTROL_BAD_REQUEST"],
    ["an unknown field", "POST", "/export", '{"out":"/a","force":true}', 400, "CONTROL_BAD_REQUEST"],
    [
      "a fractional count",
      "POST",
      "/generate",
      '{"prompt":"a","tokensMax":1.5,"temperature":1,"topP":1,"seed":""}',
      400,
      "CONTROL_BAD_REQUEST",
    ],
    [
      "too many tokens",
      "POST",
      "/generate",
      '{"prompt":"a","tokensMax":1e9,"temperature":1,"topP":1,"seed":""}',
      400,
      "CONTROL_BAD_REQUEST",
    ],
    ["null", "POST", "/generate", "null", 400, "CONTROL_BAD_REQUEST"],
  ])("%s", async (_, method, path, body, status, code) => {
    await serve();
    const answer = await raw(method, path, body);
    expect(answer).toMatchObject({ status, body: { code } });
    expect((await raw("GET", "/status")).status).toBe(200);
  });

  test("a body one byte over the limit is refused, one at the limit is read", async () => {
    await serve();
    const bodyOf = (bytes: number): string =>
      JSON.stringify({ out: "x".repeat(bytes - '{"out":""}'.length) });
    expect(await raw("POST", "/export", bodyOf(REQUEST_BYTES_MAX))).toMatchObject({ status: 400 });
    expect(await raw("POST", "/export", bodyOf(REQUEST_BYTES_MAX + 1))).toMatchObject({
      status: 413,
      body: { code: "CONTROL_BODY_TOO_LARGE" },
    });
  });

  test("an endless body is cut off", async () => {
    await serve();
    const request = httpRequest({ socketPath: await controlPath(dataDir), method: "POST", path: "/export" });
    request.on("error", () => undefined);
    let bytes = 0;
    const endless = Readable.from(
      (function* () {
        for (; bytes < 2 ** 30; bytes += REQUEST_BYTES_MAX) yield Buffer.alloc(REQUEST_BYTES_MAX);
      })(),
    );
    await expect(pipeline(endless, request)).rejects.toThrow();
    expect(bytes).toBeLessThan(2 ** 26);
    expect((await raw("GET", "/status")).status).toBe(200);
  });

  test("the node's own error reaches the caller with its code", async () => {
    const notReady = async (): Promise<string[]> => {
      throw new StarlingError("NOT_READY", "expected a model, got none yet");
    };
    await serve({ target: { ...target, exportTo: notReady } });
    await expect((await client()).exportTo("/a")).rejects.toMatchObject({
      name: "StarlingError",
      code: "NOT_READY",
      message: "expected a model, got none yet",
    });
  });

  test("a bug in the node is a 500, logged with its stack", async () => {
    const logged: unknown[] = [];
    const log: Logger = { ...silentLog, error: (_, context) => logged.push(context?.["error"]) };
    const bug = (): never => {
      throw new Error("assertion failed: moon");
    };
    await serve({ log, target: { ...target, status: bug } });
    await expect((await client()).status()).rejects.toMatchObject({
      code: "BUG",
      message: "assertion failed: moon",
    });
    expect(logged).toEqual([expect.stringContaining("control.test.ts")]);
  });
});

describe("a data folder has one daemon", () => {
  test("a second one is refused and the first keeps answering", async () => {
    await serve();
    await expect(serve()).rejects.toMatchObject({ code: "DATA_DIR_IN_USE" });
    await expect(assertDataIsFree(dataDir)).rejects.toMatchObject({ code: "DATA_DIR_IN_USE" });
    expect((await (await client()).status()).round).toBe(7);
  });

  test("the socket of a killed daemon is replaced", async () => {
    const path = await controlPath(dataDir);
    await leaveStaleSocket(path);
    expect(await readdir(dataDir)).toEqual(["control.sock"]);
    expect(await connectControl(dataDir)).toBeUndefined();
    await serve();
    expect((await (await client()).status()).round).toBe(7);
  });

  test("a deep folder's socket is in the temporary folder, the same by any name of the folder", async () => {
    const deep = join(dataDir, "d".repeat(60), "e".repeat(60));
    await mkdir(deep, { recursive: true });
    const alias = join(dataDir, "alias");
    await symlink(deep, alias);
    const path = await controlPath(deep);
    expect(dirname(path)).toBe(tmpdir());
    expect(await controlPath(alias)).toBe(path);
    const control = await serve({ dataDir: deep });
    expect((await (await connectControl(alias))?.status())?.round).toBe(7);
    await control.stop();
    await expect(stat(path)).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("somebody on the socket who is not starling is an error, not a crash", async () => {
    const server: Server = createServer((socket) => {
      // Whoever only looks whether somebody listens is gone before it is written.
      socket.on("error", () => undefined).end("hello\r\n\r\n");
    });
    server.listen(await controlPath(dataDir));
    await once(server, "listening");
    toStop.push(async () => server.close());
    await expect((await client()).status()).rejects.toMatchObject({ code: "CONTROL_FAILED" });
  });
});

/** A process that listens and is killed, so that its socket stays. */
async function leaveStaleSocket(path: string): Promise<void> {
  const script = join(dataDir, "..", `listen-${process.pid}.mjs`);
  await writeFile(
    script,
    `import { createServer } from "node:net";
     createServer().listen(process.argv[2], () => process.send("listening"));`,
  );
  const child = fork(script, [path], { execArgv: [] });
  await once(child, "message");
  child.kill("SIGKILL");
  await once(child, "exit");
  await rm(script);
}
