"""`holdfast keys`: as who knows ssh expects it."""

from __future__ import annotations

import pytest

from kit.shell import Shell

KEY = "curve:rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"


def test_the_line_that_one_shows_lets_its_owner_in_where_another_takes_it(shell: Shell) -> None:
    line = shell.run("keys").stdout
    assert line == shell.run("keys").stdout, "the pair is made once"
    let_in = shell.run("keys", "authorize", f"{line.strip()} role=run until=2100-01-01")
    assert let_in.returncode == 0
    assert "may watch and run cells, until 2100-01-02" in let_in.stderr
    listed = shell.run("keys", "ls").stdout
    assert line.split()[0] in listed
    assert line.split()[1] in listed
    assert shell.run("keys", "remove", line.split()[1]).returncode == 0
    assert shell.run("keys", "ls").stdout == ""


def test_mistakes_are_told_in_words(shell: Shell) -> None:
    assert shell.run("keys", "authorize", f"{KEY} ana").returncode == 0
    again = shell.run("keys", "authorize", f"{KEY} bo role=own")
    assert (again.returncode, "ana's already" in again.stderr) == (1, True)
    wrong = shell.run("keys", "authorize", f"{KEY} bo role=root")
    assert (wrong.returncode, "'role=root' is none of watch, run, own" in wrong.stderr) == (2, True)
    nobody = shell.run("keys", "remove", "zoe")
    assert (nobody.returncode, "try: holdfast keys ls" in nobody.stderr) == (1, True)


def test_a_wrong_line_is_named_with_its_file_and_place(shell: Shell) -> None:
    shell.run("keys", "authorize", f"{KEY} ana")
    file = shell.home / "config" / "keys" / "authorized_keys"
    file.write_text("curve:short bo\n" + file.read_text())
    listed = shell.run("keys", "ls")
    assert "ana" in listed.stdout
    assert f"{file}, line 1 lets nobody in" in listed.stderr
    assert listed.returncode == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("attach", "tcp://10.0.0.3/work", "--fresh"),
            "how a session over there begins is not said from here",
        ),
        (
            ("attach", "tcp://10.0.0.3/work", "--replay"),
            "how a session over there begins is not said from here",
        ),
        (("attach", "tcp://10.0.0.3/work", "--listen", "tcp://10.0.0.4"), "how a session over there begins"),
        (
            ("attach", "tcp://10.0.0.3/work", "--port", "5560"),
            "how a session over there begins is not said from here",
        ),
        (("attach", "work", "--host-key", KEY), "--host-key belongs to tcp://HOST/NAME"),
        (("attach", "ssh://host/work", "--host-key", KEY), "--host-key belongs to tcp://HOST/NAME"),
        (("new", "work", "--port", "5555"), "--port and --public belong to --listen"),
        (("new", "ssh://host/work", "--port", "5555"), "--port and --public belong to --listen"),
        (("new", "-d", "ssh://host/work", "--public"), "--port and --public belong to --listen"),
    ],
)
def test_options_that_mean_nothing_together_are_refused_before_anything_is_done(
    shell: Shell, arguments: tuple[str, ...], said: str
) -> None:
    done = shell.run(*arguments)
    assert done.returncode == 2
    assert done.stderr.startswith(f"holdfast: {said}")
    assert "\ntry: holdfast " in done.stderr
    assert shell.good("ls", "-q") == ""
