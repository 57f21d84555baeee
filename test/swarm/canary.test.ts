/**
 * N4: nothing secret comes out of a node, however much it is asked to say: its private key, the network key of a closed
 * run, what stands in its environment. A real process at the lowest log level, with libp2p's own log switched on.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { privateKeyFromProtobuf } from "@libp2p/crypto/keys";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type NodeStatus, connectControl } from "../../src/node/index.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const ENVIRONMENT_CANARY = "canary-of-the-environment-41c9e7";

let dir: string;
let child: ChildProcess | undefined;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "canary-"));
});
afterAll(async () => {
  child?.kill("SIGKILL");
  await rm(dir, { recursive: true, force: true });
});

async function starling(...args: string[]): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [MAIN, ...args], { cwd: dir });
  return stdout + stderr;
}

/** Every way in which bytes are commonly written down. */
function spellings(secret: Uint8Array): string[] {
  const bytes = Buffer.from(secret);
  const base64 = bytes.toString("base64").replace(/=+$/, "");
  const listed = [...bytes].join(",");
  return [
    bytes.toString("hex"),
    bytes.toString("hex").toUpperCase(),
    base64,
    bytes.toString("base64url"),
    listed,
  ];
}

test(
  "N4 a node at log level trace tells no secret: not in its log, its page, its metrics, its status or its commands",
  { timeout: 240_000 },
  async () => {
    await writeFile(join(dir, "text.txt"), "Call me Ishmael. ".repeat(3000));
    const outputs = [
      await starling(
        "init",
        "--preset",
        "tiny",
        "--text",
        "text.txt",
        "--data",
        "data",
        "--rounds",
        "3",
        "--private",
      ),
    ];
    const args = [
      "start",
      "--run",
      "run.json",
      "--data",
      "data",
      "--network-key",
      "run.key",
      "--log-level",
      "trace",
    ];
    const local = ["--listen", "/ip4/127.0.0.1/tcp/0", "--local", "--dashboard", "0"];
    child = spawn(process.execPath, [MAIN, ...args, ...local], {
      cwd: dir,
      env: { ...process.env, DEBUG: "libp2p*", CANARY: ENVIRONMENT_CANARY },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const said: string[] = [];
    for (const stream of [child.stdout, child.stderr])
      stream?.on("data", (chunk) => said.push(String(chunk)));
    const statusNow = async (): Promise<NodeStatus | undefined> =>
      (await connectControl(join(dir, "data")))?.status();
    await expect
      .poll(async () => (await statusNow())?.state, { timeout: 120_000, interval: 200 })
      .toBe("finished");
    const status = await statusNow();
    outputs.push(JSON.stringify(status));
    for (const path of ["", "api/snapshot", "metrics", "healthz", "readyz", "none"])
      outputs.push(await (await fetch(new URL(path, String(status?.dashboardUrl)))).text());
    for (const command of ["status", "top"])
      outputs.push(await starling(command, "--data", "data", ...(command === "top" ? ["--once"] : [])));
    outputs.push(await starling("stop", "--data", "data"));
    if (child.exitCode === null) await once(child, "exit");
    outputs.push(said.join(""));
    outputs.push(await readFile(join(dir, "data", "status.json"), "utf8"));
    outputs.push(await readFile(join(dir, "run.json"), "utf8"));

    const log = said.join("");
    expect(log).toContain('"msg":"round"');
    expect(log, "libp2p's own log is on").toMatch(/libp2p:\w+/);

    expect(await readdir(join(dir, "data"))).toContain("network.key");
    const { raw } = privateKeyFromProtobuf(await readFile(join(dir, "data", "key")));
    const networkKey = (await readFile(join(dir, "run.key"), "utf8")).trim().split("\n").at(-1) ?? "";
    expect(networkKey).toMatch(/^[0-9a-f]{64}$/);
    // Ed25519's raw private key is the seed and then the public key, which is no secret.
    const secrets = [
      ...spellings(raw.subarray(0, 32)),
      ...spellings(Buffer.from(networkKey, "hex")),
      ENVIRONMENT_CANARY,
    ];
    const all = outputs.join("\n");
    expect(all.length).toBeGreaterThan(10_000);
    for (const [i, secret] of secrets.entries()) expect(all.includes(secret), `secret ${i}`).toBe(false);
    // The search would find one.
    const { publicKey } = privateKeyFromProtobuf(await readFile(join(dir, "data", "key")));
    expect(all.includes(publicKey.toString()), "what is no secret is found").toBe(true);
  },
);
