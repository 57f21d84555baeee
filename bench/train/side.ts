/**
 * One side of the comparison: a child process that trains when it is asked to, so that its peak memory is its own.
 * One JSON object per line: `{"steps": n}` in, `Turn` out; end of input ends it. Between turns it is stopped
 * (SIGSTOP), since the worker threads of both runtimes spin for a while after their work.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";

export interface Turn {
  readonly losses: readonly number[];
  readonly stepMs: readonly number[];
  /** The most this process has had in memory so far. */
  readonly memoryPeakBytes: number;
  readonly version: string;
}

export class Side {
  readonly mode: string;
  readonly losses: number[] = [];
  readonly stepMs: number[] = [];
  memoryPeakBytes = 0;
  version = "";
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;

  constructor(mode: string, command: readonly [string, ...string[]]) {
    this.mode = mode;
    const [file, ...args] = command;
    this.#child = spawn(file, args, { stdio: ["pipe", "pipe", "inherit"] });
    const lines: Interface = createInterface({
      input: this.#child.stdout as NonNullable<ChildProcess["stdout"]>,
    });
    this.#answers = lines[Symbol.asyncIterator]();
  }

  /** Trains; steps that only warm up count for losses, not for time. */
  async turn(steps: number, o: { isWarmUp?: boolean } = {}): Promise<void> {
    this.#child.kill("SIGCONT");
    this.#child.stdin?.write(`${JSON.stringify({ steps })}\n`);
    const answer = await this.#answers.next();
    if (answer.done)
      throw new Error(`${this.mode} ended with ${this.#child.exitCode} in the middle of a turn`);
    this.#child.kill("SIGSTOP");
    const turn = JSON.parse(answer.value) as Turn;
    this.losses.push(...turn.losses);
    // The first step of a turn finds cold caches: it is not counted.
    if (o.isWarmUp !== true) this.stepMs.push(...turn.stepMs.slice(1));
    this.memoryPeakBytes = turn.memoryPeakBytes;
    this.version = turn.version;
  }

  get stepMedianMs(): number {
    const sorted = this.stepMs.toSorted((a, b) => a - b);
    return sorted[sorted.length >> 1] as number;
  }

  async close(): Promise<void> {
    this.#child.kill("SIGCONT");
    this.#child.stdin?.end();
    if (this.#child.exitCode === null) await once(this.#child, "exit");
  }
}
