#compdef holdfast
# Completion of holdfast for zsh. In ~/.zshrc, after compinit:  eval "$(holdfast completion zsh)"
_holdfast() {
    local line
    local -a found begun
    while IFS= read -r line; do
        case $line in
            $'\tfiles') _files ;;
            $'\tfolders') _files -/ ;;
            *=$'\t'*) begun+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}") ;;
            *) found+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}") ;;
        esac
    done < <("${(e)words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)
    (( $#begun )) && _describe -V 'holdfast' begun -S ''
    (( $#found )) && _describe -V 'holdfast' found
}
if [[ ${funcstack[1]-} == _holdfast ]]; then
    _holdfast "$@"
else
    compdef _holdfast holdfast
fi
