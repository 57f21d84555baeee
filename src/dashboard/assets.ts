/** The page's files, by the path they are asked for: a fixed list, read once, so that no request ever names a file. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

export interface Asset {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly type: string;
}

const HTML = "text/html; charset=utf-8";
const SCRIPT = "text/javascript; charset=utf-8";
const STYLE = "text/css; charset=utf-8";

/** From beside this file: plain modules and styles that the browser takes as they are. */
const PAGE: Readonly<Record<string, readonly [file: string, type: string]>> = {
  "/": ["index.html", HTML],
  "/style.css": ["style.css", STYLE],
  "/main.js": ["main.js", SCRIPT],
  "/live.js": ["live.js", SCRIPT],
  "/format.js": ["format.js", SCRIPT],
  "/dom.js": ["dom.js", SCRIPT],
  "/charts.js": ["charts.js", SCRIPT],
  "/timeline.js": ["timeline.js", SCRIPT],
  "/mesh.js": ["mesh.js", SCRIPT],
  "/tables.js": ["tables.js", SCRIPT],
  "/host.js": ["host.js", SCRIPT],
  "/loss.js": ["loss.js", SCRIPT],
  "/theme.js": ["theme.js", SCRIPT],
  "/phases.js": ["phases.js", SCRIPT],
  "/icon.svg": ["icon.svg", "image/svg+xml"],
};

/** From the package that draws the charts. */
const LIBRARY: Readonly<Record<string, readonly [file: string, type: string]>> = {
  "/uplot/uPlot.esm.js": ["uplot/dist/uPlot.esm.js", SCRIPT],
  "/uplot/uPlot.min.css": ["uplot/dist/uPlot.min.css", STYLE],
};

/** All of them, in memory. */
export async function loadAssets(): Promise<ReadonlyMap<string, Asset>> {
  const files = [
    ...Object.entries(PAGE).map(
      ([path, [file, type]]) => [path, new URL(`./page/${file}`, import.meta.url), type] as const,
    ),
    ...Object.entries(LIBRARY).map(
      ([path, [file, type]]) => [path, new URL(import.meta.resolve(file)), type] as const,
    ),
  ];
  const loaded = files.map(async ([path, url, type]): Promise<[string, Asset]> => {
    return [path, { bytes: Uint8Array.from(await readFile(fileURLToPath(url))), type }];
  });
  return new Map(await Promise.all(loaded));
}
