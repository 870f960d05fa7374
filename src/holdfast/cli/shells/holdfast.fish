# Completion of holdfast for fish. In ~/.config/fish/config.fish:  holdfast completion fish | source
function __holdfast_complete
    set -l begun (commandline -ct)
    set -l words (commandline -opc)
    for line in (command $words[1] __complete $words[2..-1] "$begun" 2>/dev/null)
        switch $line
            case \t'files'
                __fish_complete_path "$begun"
            case \t'folders'
                __fish_complete_directories "$begun"
            case '*'
                echo $line
        end
    end
end
complete -c holdfast -f -a '(__holdfast_complete)'
