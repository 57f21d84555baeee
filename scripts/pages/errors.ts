/**
 * The page of error codes and exit codes. Codes are collected from where they are thrown; the meaning of each is written
 * once, in meanings.ts, so one code cannot mean two things.
 */
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { EXIT_BUG, EXIT_FORCED, EXIT_OPERATING, EXIT_USAGE } from "../../src/cli/failure.ts";
import { MEANINGS } from "./meanings.ts";
import { code, opening, table } from "./markdown.ts";

const SRC = fileURLToPath(new URL("../../src/", import.meta.url));

const TEXT = `A failure that is not a mistake in starling is one line on stderr, \`error CODE: what was expected, what came, what to do\`. Scripts
should look at the code: the words may change with any version.`;

const SYSTEM =
  "Where the operating system refuses something, its own code (`EACCES`, `ENOSPC`) stands in the code's place.";

const EXITS: readonly (readonly [number, string])[] = [
  [0, "done; also the end of `start` by Ctrl-C or `starling stop`, and `--help`"],
  [EXIT_OPERATING, "it could not be done: one of the codes below; `verify`: something is false"],
  [EXIT_USAGE, "wrong arguments or settings; `verify`: nothing is false, but not all could be checked"],
  [EXIT_BUG, "a mistake in starling: `error BUG` with a stack, to be reported"],
  [EXIT_FORCED, "ended at once by a second Ctrl-C, as shells count signals (128 + 2)"],
];

export async function renderErrors(): Promise<string> {
  const rows = (await thrownCodes()).map((each) => [code(each), MEANINGS[each] ?? ""]);
  const exits = EXITS.map(([number, meaning]) => [String(number), meaning]);
  return [
    opening("Error codes", TEXT),
    `## Exit codes\n\n${table(["code", "meaning"], exits)}`,
    `## Codes of errors\n\n${SYSTEM}\n\n${table(["code", "meaning"], rows)}`,
  ].join("\n");
}

/**
 * Every code that the sources throw, sorted. A code stands in the first argument itself; one that is only passed on is no
 * new one (`control/client.ts` repeats what the running node said).
 */
export async function thrownCodes(): Promise<string[]> {
  const files = (await readdir(SRC, { recursive: true })).filter((file) => file.endsWith(".ts"));
  const texts = await Promise.all(files.map((file) => readFile(join(SRC, file), "utf8")));
  const codes = texts
    .flatMap((text) => [...text.matchAll(/new StarlingError\(([^,]*),/g)])
    .flatMap(([, argument = ""]) => [...argument.matchAll(/"([A-Z][A-Z0-9_]+)"/g)])
    .map(([, each = ""]) => each);
  return [...new Set(codes)].toSorted();
}
