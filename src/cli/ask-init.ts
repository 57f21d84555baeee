/** The few questions about a new run that a person can answer, on a terminal; what was given as an option is not asked. */
import { access } from "node:fs/promises";
import type { Readable, Writable } from "node:stream";
import { confirm, isCancel, select, text } from "@clack/prompts";
import { planOfPreset, presetNames } from "../node/index.ts";
import { bytes, count } from "./format.ts";
import { UsageError } from "./failure.ts";

/** What there was of options and what was answered. */
export interface InitAnswers {
  readonly preset: string;
  readonly text?: string;
  readonly startPeers?: number;
  readonly private: boolean;
}

export interface Terminal {
  readonly input: Readable;
  readonly output: Writable;
}

const PEERS_MAX = 1024;

/** @throws UsageError when it is cancelled (Ctrl-C, Escape). */
export async function askInit(
  given: Partial<InitAnswers> & { hasData: boolean },
  terminal: Terminal,
): Promise<InitAnswers> {
  const preset = given.preset ?? (await askPreset(terminal));
  const path = given.hasData ? given.text : await askText(terminal);
  const startPeers = given.startPeers ?? (await askPeers(terminal));
  const isPrivate = given.private === true || (await askPrivate(terminal));
  return { preset, ...(path !== undefined && { text: path }), startPeers, private: isPrivate };
}

async function askPreset(terminal: Terminal): Promise<string> {
  const options = presetNames.map((name) => {
    const rows = planOfPreset(name).filter(({ inManifest }) => inManifest);
    const sizes = rows.map(({ parameters }) => count(parameters)).join(" -> ");
    const memory = bytes(Math.max(...rows.map(({ memoryBytes }) => memoryBytes)));
    return { value: name, label: name, hint: `${sizes} parameters, up to ${memory} of memory a node` };
  });
  return answered(await select({ message: "How large shall the model be?", options, ...terminal }));
}

async function askText(terminal: Terminal): Promise<string> {
  for (;;) {
    const path = answered(
      await text({ message: "What shall it learn? A text file, or a folder of them", ...terminal }),
    );
    if (await exists(path)) return path;
    terminal.output.write(`there is nothing at ${path}\n`);
  }
}

async function askPeers(terminal: Terminal): Promise<number> {
  const answer = await text({
    message: "How many nodes shall the first round wait for?",
    initialValue: "1",
    validate: (value) => {
      const isCount = /^\d+$/.test(value ?? "") && Number(value) >= 1 && Number(value) <= PEERS_MAX;
      return isCount ? undefined : `Expected a whole number from 1 to ${PEERS_MAX}.`;
    },
    ...terminal,
  });
  return Number(answered(answer));
}

async function askPrivate(terminal: Terminal): Promise<boolean> {
  const message = "Closed to everybody without its network key?";
  return answered(await confirm({ message, initialValue: false, ...terminal }));
}

function answered<T>(answer: T): Exclude<T, symbol> {
  if (isCancel(answer)) throw new UsageError("cancelled; nothing was made");
  return answer as Exclude<T, symbol>;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
