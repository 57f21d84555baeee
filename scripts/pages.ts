/**
 * Writes docs/reference: what the code itself says of its commands, settings, metrics and errors. `npm run docs`; a test
 * fails while the pages differ from the code.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { renderPages } from "./pages/render.ts";

const dir = fileURLToPath(new URL("../docs/reference/", import.meta.url));
mkdirSync(dir, { recursive: true });
for (const [name, text] of await renderPages()) writeFileSync(join(dir, name), text);
