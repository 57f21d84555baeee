/** The README.md of an exported model: which run made it, from what, by whom, how well it does, and how to check that. */
import type { AuthorCredits } from "../credits/credits.ts";
import type { RunData } from "../data/run-data.ts";
import { type Manifest, phaseOf, runIdOf } from "../run/manifest.ts";
import { parametersCount } from "../../trainer/index.ts";
import type { SettledStatus } from "../status.ts";

export interface CardFacts {
  readonly manifest: Manifest;
  readonly data: Pick<RunData, "records" | "tokenizerFile">;
  readonly phase: number;
  /** Null: trained by one node alone, without a run. */
  readonly settled: SettledStatus | null;
  /** Of all that is in it; null where it was not counted. */
  readonly tokensTotal: number | null;
  /** Empty where the run earns nothing, or nobody has anything settled. */
  readonly contributors: readonly AuthorCredits[];
  readonly lossFirstNats: number | null;
  readonly lossLastNats: number | null;
}

const UNKNOWN = "not measured";

export function modelCard(facts: CardFacts): string {
  const { manifest, data, settled } = facts;
  const licences = [...new Set(data.records.map(({ licence }) => licence))];
  return `---
library_name: transformers
pipeline_tag: text-generation
tags: [starling, llama]
---

# ${inline(manifest.name)}

A Llama of ${parametersCount(phaseOf(manifest, facts.phase).model)} parameters, ${settled === null ? "trained by one node alone" : "trained by many nodes together, with no server and no leader"}
with Starling.

| | |
| --- | --- |
${rows(originRows(facts))}

## Data

| source | licence | text (bytes) | tokens trained on | tokens held out | cut by |
| --- | --- | --- | --- | --- | --- |
${rows(
  data.records.map(({ source, licence, bytes, train, heldOut, author }) => [
    inline(source),
    inline(licence),
    bytes,
    tokensOf(train),
    tokensOf(heldOut),
    `\`${author}\``,
  ]),
)}

${licences.length === 1 ? "The licence is" : "The licences are"} what those who cut the data say; nobody has checked it. Tokens are ${data.tokenizerFile === null ? "bytes of UTF-8" : `those of \`tokenizer.json\` (${manifest.tokenizer})`}.
${contributorsPart(facts)}
## How to verify

${verifyPart(facts)}
`;
}

function originRows({ manifest, phase, settled, tokensTotal, ...losses }: CardFacts): Cell[][] {
  const { lossFirstNats, lossLastNats } = losses;
  return [
    ["run", settled === null ? "none" : `\`${runIdOf(manifest)}\``],
    ...(settled === null
      ? []
      : [
          ["settled", `phase ${phase}, round ${settled.round}, root \`${settled.root}\``],
          ["weights root", `\`${settled.weightsRoot}\``],
        ]),
    ["tokens learned", tokensTotal ?? UNKNOWN],
    [
      "validation loss",
      `${loss(lossFirstNats)} first, ${loss(lossLastNats)} last (nats per token, held out)`,
    ],
    ["started from", manifest.start === null ? `seed ${inline(manifest.seed)}` : `weights ${manifest.start}`],
  ];
}

function contributorsPart({ contributors, settled }: CardFacts): string {
  if (settled === null) return "";
  const list =
    contributors.length === 0
      ? "The run earns no credits, or none have settled."
      : `| author | contributions | tokens | credits |
| --- | --- | --- | --- |
${rows(contributors.map(({ author, contributionsCount, tokens, credits }) => [`\`${author}\``, contributionsCount, tokens, credits]))}`;
  return `
## Contributors

${list}
`;
}

function verifyPart({ manifest, settled }: CardFacts): string {
  if (settled === null) return "It is the work of one machine, and nothing vouches for it.";
  return `\`model.safetensors\` and \`remainder.safetensors\` together are the settled weights to the last bit. Join the run from any node of it,
then check the whole history offline; the root that it names must be the one above:

\`\`\`
starling start --run ${runIdOf(manifest)} --bootstrap <address of any node> --data check
starling verify --data check
\`\`\``;
}

type Cell = string | number;

function rows(cells: readonly (readonly Cell[])[]): string {
  return cells.map((row) => `| ${row.join(" | ")} |`).join("\n");
}

function loss(value: number | null): string {
  return value === null ? UNKNOWN : value.toFixed(4);
}

function tokensOf(shards: readonly { tokens: number }[]): number {
  return shards.reduce((sum, { tokens }) => sum + tokens, 0);
}

/** What people wrote, in one line of a table. */
function inline(text: string): string {
  return text.replaceAll(/[\r\n|`<>]/g, " ").trim();
}
