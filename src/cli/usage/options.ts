/** Options that several commands take. */
import { availableParallelism } from "node:os";
import { type Command, Option } from "commander";
import { wholeNumber } from "../arguments.ts";

/** What `--engine` takes; whether this machine has it, the node says. */
export const ENGINES: readonly string[] = ["auto", "cpu", "webgpu", "cuda", "directml", "coreml", "tfjs"];

/** By size; the same as the trainer's, which is not loaded to print help. A test compares them. */
export const SHAPES: readonly string[] = [
  "tiny",
  "small",
  "flight",
  "stories-15m",
  "stories-42m",
  "stories-110m",
  "smollm-135m",
  "smollm-360m",
  "tinyllama-1.1b",
  "sheared-llama-1.3b",
];

export function dataOption(): Option {
  return new Option("--data <folder>", "the node's own folder: key, blocks, ledger").default(".starling");
}

export function threadsOption(description: string): Option {
  return new Option("--threads <number>", description)
    .argParser(wholeNumber(1, 1024))
    .default(availableParallelism(), "all that this machine has");
}

export function shapeOption(): Option {
  return new Option("--shape <name>", "another model than the preset's").choices(SHAPES).conflicts("from");
}

/** What training may need of memory; without either, what fits is found. */
export function addMemoryOptions(command: Command): Command {
  return command
    .option(
      "--micro-batch <sequences>",
      "sequences of the batch at a time; fewer need less memory; default: what fits",
      wholeNumber(1, 65_536),
    )
    .option("--recompute", "a quarter slower, with less memory; default: where nothing else fits", false);
}
