/** The real command line as a child process, as a person would run it. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { StarlingError, messageOf } from "../../src/core/index.ts";

export const STARLING: string = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
/**
 * Arguments of `node` itself, as the published command has them. Megabytes of each half of V8's young generation, which would grow to
 * 64 in each thread; from a measurement of 1 to 64: a node stays 60 to 140 MB smaller and pulls a quarter faster. And how much the
 * old one may grow before it is collected, which V8 lets double a small heap; from a measurement: a node's resident memory stays within
 * 4 % instead of 24 %, and pulling from a fast line takes two thirds more CPU (docs/log.md).
 */
export const NODE_ARGS: readonly string[] = ["--max-semi-space-size=4", "--heap-growing-percent=20"];

/** Guess: an export of a large model is the longest of them. */
const TIMEOUT_MS = 5 * 60_000;
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

/** Runs `starling ...args` to its end and gives its stdout; throws with its stderr when the exit code is not 0. */
export async function runStarling(args: readonly string[]): Promise<string> {
  const options = { timeout: TIMEOUT_MS, maxBuffer: OUTPUT_BYTES_MAX };
  try {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [...NODE_ARGS, STARLING, ...args],
      options,
    );
    return stdout;
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    throw new StarlingError("TESTNET_COMMAND", `starling ${args.join(" ")}: ${stderr || messageOf(error)}`, {
      cause: error,
    });
  }
}
