/** A bar for work that takes more than a moment; in a terminal only, and on stderr, since stdout is for results. */
import { Presets, SingleBar } from "cli-progress";
import type { AloneStep, FileProgress } from "../node/index.ts";
import { bytes, nats } from "./format.ts";

export interface FileBar extends Disposable {
  readonly show: (progress: FileProgress) => void;
}

export interface StepBar extends Disposable {
  readonly show: (step: AloneStep) => void;
}

/** Steps of a training that ends, with the losses of the newest. */
export function createStepProgress(): StepBar {
  const format =
    "training {bar} {value} of {total} steps, loss {loss}, val. loss {validationLoss}, {eta_formatted} left";
  const bar = new SingleBar(
    { format, stream: process.stderr, clearOnComplete: true },
    Presets.shades_classic,
  );
  return {
    show: ({ step, stepsCount, lossNats, validationLossNats }) => {
      const losses = { loss: nats(lossNats), validationLoss: nats(validationLossNats) };
      if (!bar.isActive) bar.start(stepsCount, 0, losses);
      bar.update(step, losses);
    },
    [Symbol.dispose]: () => bar.stop(),
  };
}

/** Bytes read of all that are to be read; `what` is a word such as `cutting`. */
export function createFileProgress(what: string): FileBar {
  const format = `${what} {bar} {percentage}% of {size}, {eta_formatted} left`;
  // Without a terminal it says nothing.
  const bar = new SingleBar(
    { format, stream: process.stderr, clearOnComplete: true },
    Presets.shades_classic,
  );
  return {
    show: ({ bytesDone, bytesTotal }) => {
      if (!bar.isActive) bar.start(bytesTotal, 0, { size: bytes(bytesTotal) });
      bar.update(bytesDone);
    },
    [Symbol.dispose]: () => bar.stop(),
  };
}
