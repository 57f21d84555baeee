/** `starling serve`: what it takes. */
import { type Command, Option } from "commander";
import { listenAddress, paths, wholeNumber } from "../arguments.ts";
import type { ServeArguments } from "../commands/serve.ts";
import { dataOption, threadsOption } from "./options.ts";

export function addServe(program: Command): void {
  program
    .command("serve")
    .description("answer programs that speak OpenAI's API with the settled model, or with one in a folder")
    .addOption(dataOption())
    .option("--model <folder>", "a folder with a model instead, such as `starling export` writes")
    .option("--name <name>", "what clients call the model; default: as the run or folder is called")
    .addOption(
      new Option("--listen <address>", "host:port, or a port of this machine")
        .default({ host: "127.0.0.1", port: 8000 }, "127.0.0.1:8000")
        .argParser(listenAddress),
    )
    .option("--keys <file>", "API keys: a name and a key on each line")
    .option("--key <key>", "an API key, counted as key-1, key-2, …; may be repeated", paths, [])
    .option("--at-once <number>", "texts written at the same time", wholeNumber(1, 64), 4)
    .option("--queue <number>", "requests that may wait for one to end", wholeNumber(0, 10_000), 32)
    .option(
      "--chat-template <file>",
      "how a conversation becomes a prompt, instead of the model's own (Jinja)",
    )
    .option("--usage <file>", "keep each key's counts here; default, without --model: the node's folder")
    .addOption(threadsOption("CPU threads that write"))
    .addOption(
      new Option("--priority <level>", "give way to all else on this machine, training too, or not")
        .choices(["low", "normal"])
        .default("low"),
    )
    .option("--config <file>", "read options from this YAML file, such as: at-once: 2")
    .addOption(
      new Option("--log-level <level>", "least important line to log; no level logs what is asked or written")
        .choices(["debug", "info", "warn", "error", "silent"])
        .default("info"),
    )
    .addHelpText(
      "after",
      `
It only reads the node's folder, so it runs beside the node, or without it, and takes up each checkpoint that the node
saves. Other machines reach it only with keys. Ctrl-C ends it when the texts under way have ended.

Examples:
  $ starling serve
  $ starling serve --model my-model --listen 0.0.0.0:8000 --keys keys.txt
  $ curl localhost:8000/v1/completions -H 'content-type: application/json' \\
      -d '{"model": "my-book.txt", "prompt": "Call me", "max_tokens": 64}'`,
    )
    .action(async (given: ServeArguments) => (await import("../commands/serve.ts")).serve(given));
}
