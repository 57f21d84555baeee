/** N7: the generated pages are what the code says today, and what the pages by hand name exists. */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { describe, expect, test } from "vitest";
import { fullName, within } from "../../../scripts/pages/commands.ts";
import { thrownCodes } from "../../../scripts/pages/errors.ts";
import { MEANINGS } from "../../../scripts/pages/meanings.ts";
import { renderPages } from "../../../scripts/pages/render.ts";
import { createProgram } from "../../../src/cli/program.ts";

const DOCS = fileURLToPath(new URL("../../../docs/", import.meta.url));

const pages = readdirSync(DOCS, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".md"));
const textOf = (page: string): string => readFileSync(join(DOCS, page), "utf8");

describe("N7: docs/reference", () => {
  test("`npm run docs` would change nothing", async () => {
    const rendered = await renderPages();
    expect(readdirSync(join(DOCS, "reference")).toSorted()).toEqual([...rendered.keys()].toSorted());
    for (const [name, text] of rendered)
      expect(textOf(`reference/${name}`), `${name} is stale: npm run docs`).toBe(text);
  });

  test("every code that is thrown has one meaning, and every meaning a code; no two are the same", async () => {
    expect(Object.keys(MEANINGS).toSorted(), "add it to scripts/pages/meanings.ts").toEqual(
      await thrownCodes(),
    );
    expect(new Set(Object.values(MEANINGS)).size).toBe(Object.keys(MEANINGS).length);
  });
});

/** The titles of a page as GitHub makes anchors of them. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

describe("N7: links and commands in docs/", () => {
  test.each(pages)("%s links to what is there", (page) => {
    const links = [...textOf(page).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].map(([, link = ""]) => link);
    for (const link of links) {
      const [path = "", anchor] = link.split("#");
      const target = path === "" ? page : join(dirname(page), path);
      expect(existsSync(join(DOCS, target)), `${page}: ${link}`).toBe(true);
      if (anchor !== undefined) expect(anchorsOf(textOf(target)), `${page}: ${link}`).toContain(anchor);
    }
  });

  const commands: ReadonlyMap<string, Command> = new Map(
    within(createProgram()).map((command) => [fullName(command), command]),
  );

  test.each(["getting-started.md", "joining.md", "operating.md", "faq.md"])(
    "%s types what exists",
    (page) => {
      const typed = [...textOf(page).matchAll(/(?:^\$ |`)(?:npm run starling -- |starling )([^`\n]+)/gm)];
      expect(typed.length).toBeGreaterThan(0);
      for (const [, rest = ""] of typed) {
        const words = rest.split(" ");
        const name = [2, 1].map((count) => ["starling", ...words.slice(0, count)].join(" "));
        const command = name.map((each) => commands.get(each)).find((each) => each !== undefined);
        const flags = words.filter((word) => /^--[a-z]/.test(word));
        const known = command?.options.map(({ long }) => long) ?? [];
        expect(command, `${page}: starling ${rest}`).toBeDefined();
        expect([...known, "--help"], `${page}: starling ${rest}`).toEqual(expect.arrayContaining(flags));
      }
    },
  );
});
