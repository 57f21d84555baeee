/**
 * Bars for work that takes more than a moment; in a terminal only, and on stderr, since stdout is for results. A bar is gone
 * when its work is done, so that it draws over nothing that is said afterwards.
 */
import { Presets, SingleBar } from "cli-progress";
import type { AloneStep, FileProgress } from "../node/index.ts";
import { bytes, nats } from "./format.ts";

/** Bytes read of all that are to be read; `what` is a word such as `cutting`. */
export function withFileProgress<T>(
  what: string,
  work: (show: (progress: FileProgress) => void) => Promise<T>,
): Promise<T> {
  return withBar(fileFormat(what), (bar) => work((progress) => showFile(bar, progress)));
}

export interface ShowTokenizer {
  readonly onProgress: (progress: FileProgress) => void;
  readonly onMerge: (done: number, of: number) => void;
}

/** Of making a tokenizer: words are counted, and then merged, one bar after the other. */
export function withTokenizerProgress<T>(work: (show: ShowTokenizer) => Promise<T>): Promise<T> {
  return withBar(fileFormat("counting words"), (counting) =>
    withBar("merging {bar} {value} of {total}, {eta_formatted} left", (merging) =>
      work({
        onProgress: (progress) => showFile(counting, progress),
        onMerge: (done, of) => {
          if (!merging.isActive) {
            counting.stop();
            merging.start(of, 0);
          }
          merging.update(done);
        },
      }),
    ),
  );
}

function fileFormat(what: string): string {
  return `${what} {bar} {percentage}% of {size}, {eta_formatted} left`;
}

function showFile(bar: SingleBar, { bytesDone, bytesTotal }: FileProgress): void {
  if (!bar.isActive) bar.start(bytesTotal, 0, { size: bytes(bytesTotal) });
  bar.update(bytesDone);
}

/** Steps of a training that ends, with the losses of the newest. */
export function withStepProgress<T>(work: (show: (step: AloneStep) => void) => Promise<T>): Promise<T> {
  const format =
    "training {bar} {value} of {total} steps, loss {loss}, val. loss {validationLoss}, {eta_formatted} left";
  return withBar(format, (bar) =>
    work(({ step, stepsCount, lossNats, validationLossNats }) => {
      const losses = { loss: nats(lossNats), validationLoss: nats(validationLossNats) };
      if (!bar.isActive) bar.start(stepsCount, 0, losses);
      bar.update(step, losses);
    }),
  );
}

async function withBar<T>(format: string, work: (bar: SingleBar) => Promise<T>): Promise<T> {
  // Without a terminal it says nothing.
  const options = { format, stream: process.stderr, clearOnComplete: true };
  const bar = new SingleBar(options, Presets.shades_classic);
  try {
    return await work(bar);
  } finally {
    bar.stop();
  }
}
