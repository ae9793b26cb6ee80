#compdef vaxdb
# Completion of vaxdb for zsh, made by `vaxdb completion zsh`. For one user, in ~/.zshrc behind
# compinit:
#   source <(vaxdb completion zsh)
# For all: into a folder of $fpath, as a file called _vaxdb.

# The files of the migrations folder that may stand behind --to.
_vaxdb_migrations() {
    local folder=${VAXDB_MIGRATIONS-} place
    local -a names
    (( ${+opt_args[--dir]} )) && folder=${(Q)opt_args[--dir]}
    [[ -n $folder || ! -r vaxdb.ini ]] || folder=$(sed -n "$_vaxdb_migrations_setting" vaxdb.ini)
    for place in $=_vaxdb_migrations_places; do
        [[ -z $folder && -d $place ]] && folder=$place
    done
    names=($~folder/*.sql(N.:t))
    names=(${names:#*.down.sql})
    _describe -t migrations migration names
}

# What may follow the words so far: a command, or the second word of one.
_vaxdb_next_word() {
    _describe -t commands command _vaxdb_words
}

_vaxdb() {
    local -a _vaxdb_words specs rest
    local command='' word value=no
    local -i i
    # The command is found as vaxdb finds it: flags, with their values, may stand in front of it.
    rest=("$words[1]")
    _vaxdb_command ''
    for (( i = 2; i < CURRENT && ${#_vaxdb_words}; i++ )); do
        word=$words[i]
        if [[ $value == yes || $word == -?* ]]; then
            rest+=("$word")
            if [[ $value == no && $word == ($~_vaxdb_valued_flags) ]]; then
                value=yes
            else
                value=no
            fi
        elif [[ -n ${(M)_vaxdb_words:#$word:*} ]]; then
            [[ $word == help ]] && continue
            command=${command:+$command }$word
            _vaxdb_command $command
        else
            return 1
        fi
    done
    (( CURRENT -= i - 1 - ${#rest} ))
    words=("$rest[@]" "${(@)words[i,-1]}")
    (( ${#_vaxdb_words} )) && specs+=('*: :_vaxdb_next_word')
    _arguments -s -S : "$specs[@]"
}

