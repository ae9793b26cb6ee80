# Completion of vaxdb for bash, made by `vaxdb completion bash`. For one user, in ~/.bashrc:
#   source <(vaxdb completion bash)
# For all: into the folder completions of bash-completion, as a file called vaxdb.
# shellcheck shell=bash disable=SC2034,SC2154 # what the end of the file sets is read here

# COMP_WORDS up to the cursor, joined again where bash split them at "=" and ":".
_vaxdb_read_line() {
    local rest=$COMP_LINE from i
    line=()
    for ((i = 0; i <= COMP_CWORD; i++)); do
        from=${rest#"${rest%%[![:space:]]*}"}
        if [[ $i -gt 0 && $rest == "$from" ]]; then
            line[${#line[@]} - 1]+=${COMP_WORDS[i]}
        else
            line+=("${COMP_WORDS[i]}")
        fi
        rest=${from#"${COMP_WORDS[i]}"}
    done
}

# Does the flag take its value from the next word? Then kind is what it takes. "-qe" does as "-e".
_vaxdb_wants_value() { # COMMAND FLAG
    local letters=${2#-} i
    if [[ $2 == --* ]]; then
        [[ $2 != *=* ]] && _vaxdb_flag "$1" "$2"
        return
    fi
    for ((i = 0; i < ${#letters}; i++)); do
        if _vaxdb_flag "$1" "-${letters:i:1}"; then
            ((i == ${#letters} - 1))
            return
        fi
    done
    return 1
}

# The files of the migrations folder that may stand behind --to.
_vaxdb_migrations() {
    local folder=${VAXDB_MIGRATIONS-} place file i
    for ((i = 1; i < ${#line[@]} - 1; i++)); do
        case ${line[i]} in
        --dir) folder=${line[i + 1]} ;;
        --dir=*) folder=${line[i]#--dir=} ;;
        esac
    done
    folder=${folder/#\~\//$HOME/}
    [[ -n $folder || ! -r vaxdb.ini ]] || folder=$(sed -n "$_vaxdb_migrations_setting" vaxdb.ini)
    for place in $_vaxdb_migrations_places; do
        [[ -z $folder && -d $place ]] && folder=$place
    done
    for file in "$folder"/*.sql; do
        [[ $file == *.down.sql || ! -f $file ]] || printf '%s\n' "${file##*/}"
    done
}

# Fills COMPREPLY with what begins as $2 and is of the kind.
_vaxdb_offer() { # KIND WORD
    case $1 in
    FILE)
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$2")
        ;;
    DIR)
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -d -- "$2")
        ;;
    MIGRATION) mapfile -t COMPREPLY < <(compgen -W "$(_vaxdb_migrations)" -- "$2") ;;
    *'|'*) mapfile -t COMPREPLY < <(compgen -W "${1//|/ }" -- "$2") ;;
    esac
}

# The same for a command's argument: NUMBER of those before it. The last may be repeated; where none
# is left, flags may follow.
_vaxdb_offer_argument() { # NUMBER WORD
    local -a kinds
    read -r -a kinds <<<"$arguments"
    local last=$((${#kinds[@]} - 1))
    if (($1 <= last)); then
        _vaxdb_offer "${kinds[$1]%...}" "$2"
    elif ((last >= 0)) && [[ ${kinds[last]} == *... ]]; then
        _vaxdb_offer "${kinds[last]%...}" "$2"
    else
        mapfile -t COMPREPLY < <(compgen -W "$flags" -- "$2")
    fi
}

_vaxdb() {
    local -a line
    local words='' flags='' arguments='' kind='' command='' value=no ended=no
    local current word given=0 i
    COMPREPLY=()
    _vaxdb_read_line
    current=${line[${#line[@]} - 1]}
    _vaxdb_command ''
    for ((i = 1; i < ${#line[@]} - 1; i++)); do
        word=${line[i]}
        if [[ $value == yes ]]; then
            value=no
        elif [[ $ended == no && $word == -- ]]; then
            ended=yes
        elif [[ $ended == no && $word == -?* ]]; then
            ! _vaxdb_wants_value "$command" "$word" || value=yes
        elif [[ -z $command && $word == help ]]; then
            :
        elif [[ " $words " == *" $word "* ]]; then
            command=${command:+$command }$word
            _vaxdb_command "$command"
        elif [[ -n $words ]]; then
            return # no command is called so
        else
            given=$((given + 1))
        fi
    done
    if [[ $value == yes ]]; then
        _vaxdb_offer "$kind" "$current"
    elif [[ $ended == no && $current == --*=* ]]; then
        word=${current%%=*}
        _vaxdb_flag "$command" "$word" || return
        _vaxdb_offer "$kind" "${current#*=}"
        # bash takes what it is to replace to begin behind the "=" where that splits words.
        [[ $COMP_WORDBREAKS == *=* ]] || COMPREPLY=("${COMPREPLY[@]/#/$word=}")
    elif [[ $ended == no && $current == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$flags" -- "$current")
    elif [[ -n $words ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
    else
        _vaxdb_offer_argument "$given" "$current"
    fi
}

complete -F _vaxdb vaxdb

