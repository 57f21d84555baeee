/** What a proposal changes, as people read it: the lines of the two manifests in JSON that differ, with some around. */
import { diff } from "node:util";
import type { Manifest } from "../run/manifest.ts";

/** Unchanged lines that are shown around a change. */
const AROUND = 2;

/** `- old`, `+ new` and `  same`; `…` for what is left out. The start is no part of it. */
export function manifestDiff(before: Manifest, after: Manifest): string {
  const [old, next] = [before, after].map((manifest) =>
    JSON.stringify({ ...manifest, start: null }, null, 2).split("\n"),
  ) as [string[], string[]];
  // Marks of node:util: 1 is only in the first argument, -1 only in the second.
  const lines = diff(old, next).map(([mark, line]) => ({ sign: { 1: "-", 0: " ", [-1]: "+" }[mark], line }));
  const shown = new Set<number>();
  for (const [i, { sign }] of lines.entries())
    if (sign !== " ") for (let near = i - AROUND; near <= i + AROUND; near++) shown.add(near);
  let text = "";
  for (const [i, { sign, line }] of lines.entries()) {
    if (shown.has(i)) text += `${sign} ${line}\n`;
    else if (shown.has(i - 1)) text += "  …\n";
  }
  return text;
}
