#compdef holdfast
# Completion of holdfast for zsh. In ~/.zshrc, after compinit:  eval "$(holdfast completion zsh)"
_holdfast() {
    local line
    local -a found
    while IFS= read -r line; do
        case $line in
            $'\tfiles') _files ;;
            $'\tfolders') _files -/ ;;
            *) found+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}") ;;
        esac
    done < <("${(e)words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)
    (( $#found )) && _describe -V 'holdfast' found
}
if [[ ${funcstack[1]-} == _holdfast ]]; then
    _holdfast "$@"
else
    compdef _holdfast holdfast
fi
