/**
 * N5: `starling serve` as a process beside a node that trains: it takes up newer checkpoints under clients that go on
 * asking, and what they ask and get stands nowhere: in no log, no file, and on no connection but theirs.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, readdir, readlink, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import OpenAI from "openai";
import { afterAll, beforeAll, expect, test } from "vitest";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const PROMPT = "canary-of-the-prompt-7d1f";
const KEY = "canary-of-the-key-93b2";

let dir: string;
const children: ChildProcess[] = [];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "serve-"));
});
afterAll(async () => {
  for (const child of children) child.kill("SIGKILL");
  await rm(dir, { recursive: true, force: true });
});

function spawnStarling(...args: string[]): { child: ChildProcess; said: string[] } {
  const child = spawn(process.execPath, [MAIN, ...args], { cwd: dir, stdio: ["ignore", "pipe", "pipe"] });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk) => said.push(String(chunk)));
  children.push(child);
  return { child, said };
}

async function starling(...args: string[]): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [MAIN, ...args], { cwd: dir });
  return stdout + stderr;
}

/** All files below a folder, as text of one byte a character. */
async function everyFileBelow(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const texts = files.map((file) => readFile(join(file.parentPath, file.name), "latin1"));
  return (await Promise.all(texts)).join("\n");
}

/** Local and remote port, in decimal, of every TCP and UDP socket of a process (Linux). */
async function socketsOf(pid: number): Promise<{ local: number; remote: number }[]> {
  const names = await readdir(`/proc/${pid}/fd`);
  const links = await Promise.all(names.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => "")));
  const inodes = new Set(links.map((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1]));
  const tables = await Promise.all(
    ["tcp", "tcp6", "udp", "udp6"].map((name) =>
      readFile(`/proc/${pid}/net/${name}`, "utf8").catch(() => ""),
    ),
  );
  const portOf = (address = ""): number => Number.parseInt(address.split(":")[1] ?? "0", 16);
  return tables
    .flatMap((table) => table.split("\n").slice(1))
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields.length > 9 && inodes.has(fields[9]))
    .map((fields) => ({ local: portOf(fields[1]), remote: portOf(fields[2]) }));
}

test(
  "N5 beside a node that trains: newer models under clients that go on asking, and their words stand nowhere",
  { timeout: 300_000 },
  async () => {
    await writeFile(join(dir, "text.txt"), "Call me Ishmael. ".repeat(3000));
    await starling("init", "--preset", "tiny", "--text", "text.txt", "--data", "data", "--rounds", "200");
    await writeFile(join(dir, "keys.txt"), `ann ${KEY}\n`);
    const local = ["--listen", "/ip4/127.0.0.1/tcp/0", "--local", "--dashboard", "0", "--log-level", "trace"];
    const node = spawnStarling("start", "--run", "run.json", "--data", "data", ...local);
    await expect.poll(() => node.said.join(""), { timeout: 60_000 }).toContain("address ");
    const server = spawnStarling(
      "serve",
      "--data",
      "data",
      "--listen",
      "0",
      "--keys",
      "keys.txt",
      "--log-level",
      "debug",
    );
    const urlIn = (): string => /^serving (\S+)$/m.exec(server.said.join(""))?.[1] ?? "";
    await expect.poll(urlIn, { timeout: 60_000 }).not.toBe("");
    const client = new OpenAI({ baseURL: urlIn(), apiKey: KEY, maxRetries: 0 });
    await expect.poll(async () => (await client.models.list()).data.length, { timeout: 120_000 }).toBe(1);

    const answers: string[] = [];
    const fingerprints = new Set<string | undefined>();
    const failures: unknown[] = [];
    const ask = async (): Promise<void> => {
      while (fingerprints.size < 3) {
        try {
          const stream = await client.completions.create({
            model: "text.txt",
            prompt: PROMPT.slice(-24),
            max_tokens: 7,
            stream: true,
          });
          let text = "";
          for await (const { choices, system_fingerprint } of stream) {
            text += choices[0]?.text ?? "";
            fingerprints.add(system_fingerprint);
          }
          answers.push(text);
        } catch (error) {
          failures.push(error);
          return;
        }
      }
    };
    await Promise.all([ask(), ask()]);
    expect(failures, "no request was dropped while models changed").toEqual([]);
    expect(fingerprints.size).toBeGreaterThanOrEqual(3);

    // Also where it has reason to complain.
    const asked = { model: "text.txt", prompt: `${PROMPT}${"x".repeat(500)}` };
    for (const wrong of [asked, { ...asked, n: 3 }, { ...asked, model: PROMPT }])
      await expect(client.completions.create(wrong)).rejects.toMatchObject({ type: "invalid_request_error" });
    const broken = await fetch(`${urlIn()}/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${KEY}`, "content-type": "application/json" },
      body: `{"prompt": "${PROMPT}`,
    });
    expect(broken.status).toBe(400);

    const port = Number(new URL(urlIn()).port);
    const sockets = await socketsOf(server.child.pid ?? 0);
    expect(sockets.length, "it listens").toBeGreaterThan(0);
    expect(
      sockets.filter(({ local: at }) => at !== port),
      "it talks to its clients alone",
    ).toEqual([]);

    const usage = await fetch(`${urlIn()}/usage`, { headers: { authorization: `Bearer ${KEY}` } });
    expect(await usage.json()).toMatchObject({ key: "ann" });
    server.child.kill("SIGINT");
    expect((await once(server.child, "exit"))[0]).toBe(0);
    await starling("stop", "--data", "data");

    const all = [node.said.join(""), server.said.join(""), await everyFileBelow(join(dir, "data"))].join(
      "\n",
    );
    expect(server.said.join("")).toContain("model text.txt");
    expect(all, "the counts are there").toContain('"promptTokens"');
    const words = [PROMPT, PROMPT.slice(-24), KEY];
    for (const word of words) expect(all.includes(word), word).toBe(false);
    // A drawn text of seven bytes may stand in a megabyte of weights by chance; in what was said it may not.
    const said = [node.said.join(""), server.said.join("")].join("\n");
    for (const answer of answers.filter((text) => text.length >= 7))
      expect(said.includes(answer)).toBe(false);
  },
);
