/** The code makes every vector again, and docs/protocol.md leaves none of them, no code and no field unnamed. */
import { globSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { RAW, cidOf, silentLog, systemClock } from "../../src/core/index.ts";
import { draftManifest } from "../../src/node/index.ts";
import { Learner } from "../../src/node/learner/learner.ts";
import { parsed } from "../unit/consensus/support.ts";
import { protocolVectors } from "../vectors/make-protocol-vectors.ts";
import type { HeaderVector } from "../vectors/protocol/header.ts";
import type { RootVectors } from "../vectors/protocol/root.ts";
import type { WeightsVector } from "../vectors/protocol/weights.ts";

const root = new URL("../../", import.meta.url);

function read(path: string): string {
  return readFileSync(new URL(path, root), "utf8");
}

function vectorsIn<T>(file: string): T {
  return JSON.parse(read(`test/vectors/protocol/${file}`)) as T;
}

const document = read("docs/protocol.md");

describe("the code", () => {
  test.each(Object.entries(protocolVectors))("R7: makes %s again", async (file, make) => {
    expect(await make()).toEqual(vectorsIn(file));
  });

  test("R7: a learner starts from the vectors' weights and state", async () => {
    const [{ model, seed, root: startRoot }] = vectorsIn<WeightsVector[]>("weights.json");
    const { state } = vectorsIn<RootVectors>("root.json");
    const named = { data: [cidOf(new Uint8Array(0), RAW)] };
    const [{ optimizer, codec, residualBeta, batch }] = draftManifest({ preset: "tiny" }, named).phases;
    const run = { model, optimizer, batch, codec, residualBeta, seed, tokensBudget: 1, roundMsMax: 1 };
    const data = { train: [], heldOut: [], vocabulary: 256, tokenizerFile: null };
    const block = (): Promise<never> => Promise.reject(new Error("nothing is read"));
    const options = { ...run, data, start: null, engine: "cpu", threads: 1 } as const;
    const learner = await Learner.open(options, { clock: systemClock, log: silentLog, block, secret: "" });
    const zeroState = state.find(({ parameters }) => parameters === 26_784)?.root;
    expect(learner.facts()).toEqual({ startRoot, zeroState });
    await learner.close();
  });
});

describe("the document", () => {
  test("R7: names every file of vectors", () => {
    const files = globSync("test/vectors/*/*.json", { cwd: root }).map((file) => file.replaceAll("\\", "/"));
    expect(files.length).toBeGreaterThan(14);
    for (const file of files) expect(document).toContain(`\`${file.slice("test/vectors/".length)}\``);
  });

  test("R7: names every code of a verdict, and no others", () => {
    // What an offline check finds in a folder, and what is said to who asks a model, is no verdict on a peer.
    const files = globSync("src/**/*.ts", {
      cwd: root,
      exclude: [
        "src/node/verify/**",
        "src/storage/sealed-folders.ts",
        "src/serving/**",
        "src/node/serve/**",
        "src/trainer/tokenizer/chat-template.ts",
      ],
    });
    const sources = files.map((file) => read(file));
    const verdict = /(?:reject|ignore|decodeAs|failed)\((?:peer, )?\s*"([A-Z_]+)"|code: "(DELTA_[A-Z_]+)"/g;
    const codes = new Set(
      sources.flatMap((source) => [...source.matchAll(verdict)].map(([, a, b]) => a ?? b)),
    );
    const named = new Set([...document.matchAll(/`([A-Z]+_[A-Z_]+)`/g)].map(([, code]) => code));
    expect(codes.size).toBeGreaterThan(45);
    expect([...named].toSorted()).toEqual([...codes].toSorted());
  });

  test("R7: names every field of a manifest and of a header", () => {
    const [{ manifest }] = vectorsIn<{ manifest: object }[]>("manifest.json");
    const [first] = vectorsIn<HeaderVector[]>("header.json");
    const { header } = parsed(new Uint8Array(Buffer.from(first.bytes, "hex")));
    const fields = [...fieldsOf(manifest), ...fieldsOf(header)];
    expect(fields.length).toBeGreaterThan(65);
    for (const field of fields) expect(document).toMatch(new RegExp(`\`([a-z]+\\.)?${field}\``, "i"));
  });
});

/** Names of all fields, however deep; of lists only the first item's. */
function fieldsOf(value: unknown): string[] {
  if (Array.isArray(value)) return fieldsOf(value[0]);
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return [];
  return Object.entries(value).flatMap(([name, field]) => {
    const inside = fieldsOf(field);
    return inside.length > 0 && name !== "phases" ? inside : [name, ...inside];
  });
}
