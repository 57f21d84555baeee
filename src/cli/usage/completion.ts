/** `starling completion`, and what the shells ask: what they take. */
import { Argument, type Command } from "commander";
import { COMPLETION_SCRIPTS, type Shell, completionsOf } from "../completion.ts";

export function addCompletion(program: Command): void {
  program
    .command("completion")
    .description("print what makes a shell complete commands and options after Tab")
    .addArgument(new Argument("<shell>").choices(Object.keys(COMPLETION_SCRIPTS)))
    .addHelpText(
      "after",
      `
Examples:
  $ starling completion bash >> ~/.bashrc
  $ starling completion zsh >> ~/.zshrc       (after compinit)
  $ starling completion fish > ~/.config/fish/completions/starling.fish`,
    )
    .action((shell: Shell) => {
      process.stdout.write(COMPLETION_SCRIPTS[shell]);
    });
  program
    .command("complete", { hidden: true })
    .description("what the word under way may become, one a line; the shells ask it")
    .argument("[word...]")
    .action((words: string[]) => {
      for (const { word, description } of completionsOf(program, words))
        process.stdout.write(`${word}\t${description}\n`);
    });
}
