"""A real bash or zsh on a terminal, asked what it would complete."""

import fcntl
import os
import struct
import subprocess
import termios
import threading

from .waiting import wait_until

# Each ends an answer with a line ".", which no candidate is.
PROBES = {
    "bash": """
bind 'set bell-style none'
bind 'set completion-query-items 0'
bind 'set page-completions off'
_probe() {{ _vaxdb "$@"; printf '%s\\n' "${{COMPREPLY[@]}}" . >>'{answer}'; }}
complete -F _probe vaxdb
""",
    "zsh": """
unsetopt beep
setopt no_list_ambiguous
LISTMAX=10000
compadd() {{
    if [[ "${{@[1,(i)(-|--)]}}" == *-(O|A|D)\\ * ]]; then
        builtin compadd "$@"
        return $?
    fi
    local -a hits
    builtin compadd -A hits "$@"
    print -rl -- "$hits[@]" >>'{answer}'
    builtin compadd "$@"
}}
_probe() {{ _vaxdb "$@"; local status_=$?; print -r -- . >>'{answer}'; return $status_ }}
compdef _probe vaxdb
""",
}
COMMANDS = {"bash": ["bash", "--norc", "--noprofile", "-i"], "zsh": ["zsh", "-f", "-i"]}


class Shell:
    """vaxdb is the fixture: its binary, environment and working directory. setup is what the user has
    in the start-up file."""

    def __init__(self, vaxdb, name, setup):
        self.answer = vaxdb.folder / f"{name}.answer"
        self.seen = b""
        probe = vaxdb.folder / f"{name}.probe"
        probe.write_text(f"{setup}\n{PROBES[name].format(answer=self.answer)}\n: >'{self.answer}'\n")
        self._terminal, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 500, 0, 0))
        self._process = subprocess.Popen(
            COMMANDS[name],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=vaxdb.work,
            env={**vaxdb.environment, "TERM": "xterm", "PATH": os.environ["PATH"]},
            start_new_session=True,
        )
        os.close(slave)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._type(f". '{probe}'\n")
        self._wait(self.answer.exists)

    def _read(self):
        try:
            while data := os.read(self._terminal, 65536):
                self.seen += data
        except OSError:  # the shell has ended
            pass

    def _type(self, text):
        os.write(self._terminal, text.encode())

    def complete(self, line):
        """The candidates after line and a press of Tab, sorted."""
        self.answer.write_text("")
        self._type(f"\x15{line}\t")
        self._wait(lambda: "\n.\n" in "\n" + self.answer.read_text())
        candidates = ("\n" + self.answer.read_text()).partition("\n.\n")[0].split("\n")
        return sorted({candidate for candidate in candidates if candidate})

    def _wait(self, condition):
        try:
            wait_until(condition)
        except AssertionError:
            raise AssertionError(self.seen.decode(errors="replace")[-2000:]) from None

    def close(self):
        self._process.kill()
        self._process.wait()
        os.close(self._terminal)
        self._reader.join()


def script(vaxdb, name):
    """The completion as a file."""
    path = vaxdb.folder / f"_vaxdb.{name}"
    path.write_text(vaxdb.ok("completion", name).stdout)
    return path


def sourced(vaxdb, name):
    """The lines of a start-up file that source it."""
    compinit = f"autoload -Uz compinit; compinit -u -d '{vaxdb.folder}/compdump'\n"
    return (compinit if name == "zsh" else "") + f". '{script(vaxdb, name)}'"
