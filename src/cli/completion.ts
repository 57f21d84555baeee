/**
 * What the shell offers after Tab. The shells' parts are a few lines each and ask `starling complete`, so the commands and
 * options are commander's own and are written down once. Nothing offered means: a file's name.
 */
import type { Command, Option } from "commander";

export interface Completion {
  readonly word: string;
  readonly description: string;
}

/** What `words`, which follow the program's name, may end with; the last of them is the one under way, maybe empty. */
export function completionsOf(program: Command, words: readonly string[]): Completion[] {
  const current = words.at(-1) ?? "";
  const { command, awaiting } = walk(program, words.slice(0, -1));
  return offered(command, { current, awaiting }).filter(({ word }) => word.startsWith(current));
}

interface Place {
  readonly command: Command;
  /** The option whose value comes next. */
  readonly awaiting: Option | undefined;
}

function walk(program: Command, words: readonly string[]): Place {
  let command = program;
  let awaiting: Option | undefined;
  for (const word of words) {
    if (awaiting !== undefined) {
      awaiting = undefined;
    } else if (word.startsWith("-")) {
      const option = command.options.find(({ short, long }) => word === short || word === long);
      awaiting = option?.required === true ? option : undefined;
    } else {
      command = command.commands.find((each) => each.name() === word) ?? command;
    }
  }
  return { command, awaiting };
}

function offered(
  command: Command,
  { current, awaiting }: { current: string; awaiting: Option | undefined },
): Completion[] {
  if (awaiting !== undefined) return (awaiting.argChoices ?? []).map(plain);
  const help = command.createHelp();
  if (current.startsWith("-")) {
    return help.visibleOptions(command).map(({ long, short, description }) => ({
      word: long ?? short ?? "",
      description,
    }));
  }
  const commands = help
    .visibleCommands(command)
    .map((each) => ({ word: each.name(), description: each.description() }));
  const [argument] = command.registeredArguments;
  return [...commands, ...(argument?.argChoices ?? []).map(plain)];
}

function plain(word: string): Completion {
  return { word, description: "" };
}

// One candidate a line, a tab before what it means. Bash 3.2, which macOS has, knows no `mapfile`.
const BASH = `_starling() {
  local IFS=$'\\n'
  COMPREPLY=($(starling complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f1))
}
complete -o bashdefault -o default -F _starling starling
`;

const ZSH = `#compdef starling
_starling() {
  local -a lines
  lines=("\${(@f)$(starling complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -z "\${lines[*]}" ]]; then
    _files
  else
    compadd -- "\${(@)lines%%$'\\t'*}"
  fi
}
compdef _starling starling
`;

const FISH = `function __starling_complete
  set -l words (commandline -opc) (commandline -ct)
  starling complete -- $words[2..] 2>/dev/null
end
complete -c starling -n 'test -n "$(__starling_complete)"' -f -a '(__starling_complete)'
`;

export type Shell = "bash" | "zsh" | "fish";

export const COMPLETION_SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH };
