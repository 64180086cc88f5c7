/** The shells that have completions. */
export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/**
 * A script for a shell that completes the words of `program` by asking the program itself. It calls the program that is
 * installed, never one of the current folder. Nothing that the program answers is ever run: it is read line by line.
 */
export function shellScript(shell: Shell, program: string): string {
  const name = `_${program.replaceAll("-", "_")}`;
  return { bash, zsh, fish }[shell](program, name);
}

// Works with bash 3.2 of macOS, which has neither compopt nor mapfile.
function bash(program: string, name: string): string {
  return `\
# Completion of ${program} for bash. Made by: ${program} completions bash
${name}() {
  local kind= line
  COMPREPLY=()
  while IFS= read -r line; do
    if [ -z "$kind" ]; then kind=$line; else COMPREPLY[\${#COMPREPLY[@]}]=$line; fi
  done < <(command ${program} completions bash -- "\${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" 2>/dev/null </dev/null)
  type compopt >/dev/null 2>&1 || return 0
  case $kind in
    incomplete) compopt -o nospace ;;
    files) compopt -o default ;;
    folders) compopt -o dirnames ;;
  esac
}
if type compopt >/dev/null 2>&1; then
  complete -F ${name} ${program}
else
  complete -o default -F ${name} ${program}
fi
`;
}

function zsh(program: string): string {
  return `\
#compdef ${program}
# Completion of ${program} for zsh. Made by: ${program} completions zsh
_${program}() {
  local line word typed=$PREFIX
  local -a answer open closed shown
  local -i width=0 found=1
  # Within single quotes a backslash is a letter.
  [[ $compstate[quote] == "'" ]] || typed=\${(Q)PREFIX}
  answer=("\${(@f)$(command ${program} completions zsh -- "\${(@Q)words[2,CURRENT-1]}" "$typed" 2>/dev/null </dev/null)}")
  case $answer[1] in
    files) compset -P 1 '--[^=]#='; _files; return ;;
    folders) compset -P 1 '--[^=]#='; _files -/; return ;;
  esac
  shift answer
  # Commands and flags have descriptions, names have none.
  if [[ $answer[1] == *$'\\t'* ]]; then
    for line in "\${(@)answer}"; do word=\${line%%$'\\t'*}; (( $#word > width )) && width=$#word; done
    for line in "\${(@)answer}"; do
      word=\${line%%$'\\t'*}
      closed+=("$word") shown+=("\${(r:width:)word}  \${line#*$'\\t'}")
    done
    compadd -l -d shown -a closed
    return
  fi
  # No space follows what is not complete.
  for word in "\${(@)answer}"; do
    if [[ $word == *[/=] ]]; then open+=("$word"); else closed+=("$word"); fi
  done
  if (( $#open )); then compadd -S '' -a open && found=0; fi
  if (( $#closed )); then compadd -a closed && found=0; fi
  return found
}
if [[ $funcstack[1] == _${program} ]]; then
  _${program} "$@"
else
  compdef _${program} ${program}
fi
`;
}

function fish(program: string, name: string): string {
  return `\
# Completion of ${program} for fish. Made by: ${program} completions fish
function _${name}
    set -l words (commandline -opc)
    set -l typed (string unescape -- (commandline -ct))
    # An open quote can't be read.
    or set typed (string replace -r '^["\\']' '' -- (commandline -ct))
    set -l answer (command ${program} completions fish -- $words[2..-1] "$typed" 2>/dev/null </dev/null)
    set -l flag (string match -r -- '^--[^=]+=' "$typed")
    set -l value (string replace -r -- '^--[^=]+=' '' "$typed")
    switch "$answer[1]"
        case files
            for found in (__fish_complete_path "$value")
                echo -- "$flag$found"
            end
        case folders
            for found in (__fish_complete_directories "$value")
                echo -- "$flag$found"
            end
        case '*'
            printf '%s\\n' $answer[2..-1]
    end
end
complete -c ${program} -f -a '(_${name})'
`;
}
