"""What every sandbox does, as tests. A subclass gives the fixture `sandbox`."""

from __future__ import annotations

import asyncio
import signal
import time

import pytest

from selfheal_tui.agent.ports import CommandResult, Sandbox
from selfheal_tui.core.tree import EXECUTABLE, LINK, REGULAR, Scan, TreeChange, TreeFile
from selfheal_tui.errors import SandboxError, SandboxLost, TreeRejected

TREE = (
    TreeFile("README", REGULAR, b"hello\n"),
    TreeFile("bin/run", EXECUTABLE, b"#!/bin/sh\necho ran\n"),
    TreeFile("deep/er/and/deeper", REGULAR, b""),
    TreeFile("link", LINK, b"README"),
    TreeFile("dangling", LINK, b"../outside/" + b"x" * 120),
    TreeFile("blank and\nnewline", REGULAR, b"\0\1\2\xff"),
    TreeFile("back\\nslash", REGULAR, b"\\"),
    TreeFile("-rf", REGULAR, b"not an option"),
    TreeFile("--checkpoint-action=exec=sh", REGULAR, b""),
    TreeFile("not utf-8 \udcff\udcfe", REGULAR, b"x"),
    TreeFile("long/" + "n" * 200 + "/" + "m" * 200, REGULAR, b"long"),
    TreeFile("*", REGULAR, b"star"),
)
ALL = tuple(file.path for file in TREE)


def by_path(files: tuple[TreeFile, ...]) -> list[TreeFile]:
    return sorted(files, key=lambda file: file.path)


async def shell(sandbox: Sandbox, command: str, **options: object) -> CommandResult:
    return await sandbox.run(command, **({"timeout": 60.0} | options))  # type: ignore[arg-type]


async def said(sandbox: Sandbox, command: str, **options: object) -> bytes:
    return (await shell(sandbox, command, **options)).output


class SandboxContract:
    """Commands, shell state, the tree in and out, single files, and the end."""

    # --- commands ----------------------------------------------------------------------

    @pytest.mark.parametrize("code", [0, 1, 3, 126, 255])
    @pytest.mark.parametrize("shell_state", [True, False])
    async def test_the_exit_code_is_the_commands_own(self, sandbox, code, shell_state):
        result = await shell(sandbox, f"exit {code}", shell_state=shell_state)
        assert (result.exit_code, result.output, result.timed_out) == (code, b"", False)

    async def test_a_command_that_does_not_exist_is_127(self, sandbox):
        assert (await shell(sandbox, "no-such-command")).exit_code == 127

    async def test_death_by_a_signal_is_128_and_its_number(self, sandbox):
        assert (await shell(sandbox, "kill -9 $$")).exit_code == 137
        assert (await shell(sandbox, "kill -15 $$", shell_state=False)).exit_code == 143

    async def test_a_syntax_error_is_told_with_the_commands_own_line(self, sandbox):
        result = await shell(sandbox, "echo one\necho two\nfi")
        assert result.exit_code == 2
        assert b"line 3" in result.output

    async def test_both_streams_come_in_order(self, sandbox):
        output = await said(sandbox, "for i in 1 2 3; do echo o$i; echo e$i >&2; done")
        assert output == b"o1\ne1\no2\ne2\no3\ne3\n"

    async def test_output_is_heard_while_the_command_runs(self, sandbox):
        heard: list[bytes] = []
        here = asyncio.Event()

        def hear(piece: bytes) -> None:
            heard.append(piece)
            here.set()

        running = asyncio.ensure_future(
            shell(sandbox, "echo first; while [ ! -e go ]; do :; done; echo last", hear=hear)
        )
        await asyncio.wait_for(here.wait(), 20)
        assert (b"".join(heard), running.done()) == (b"first\n", False)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    async def test_every_byte_comes_as_it_was_printed(self, sandbox):
        script = r"i=0; while [ $i -lt 256 ]; do printf \\$(printf %03o $i); i=$((i+1)); done"
        heard: list[bytes] = []
        result = await shell(sandbox, script, hear=heard.append)
        assert result.output == bytes(range(256))
        assert (b"".join(heard), result.total_bytes) == (result.output, 256)

    async def test_every_character_of_a_command_reaches_the_shell(self, sandbox):
        text = "".join(map(chr, range(0x20, 0x180))).replace("'", "") + "\udc81\udcff \U0001f600\t"
        assert await said(sandbox, f"printf %s '{text}'") == text.encode("utf-8", "surrogateescape")

    async def test_many_lines_and_blanks_of_a_command_are_kept(self, sandbox):
        assert await said(sandbox, "cat <<'X'\n  a\\\n\n\tb  \nX\n\n") == b"  a\\\n\n\tb  \n"

    async def test_a_very_long_command_runs(self, sandbox):
        text = "x" * 300_000
        assert (await shell(sandbox, f"t={text}; echo ${{#t}}; exit 7")).output == b"300000\n"
        assert (await shell(sandbox, f": {text}\nexit 7", shell_state=False)).exit_code == 7

    async def test_a_command_with_a_nul_byte_is_refused_as_a_result(self, sandbox):
        result = await shell(sandbox, "echo a\0b")
        assert (result.exit_code, b"NUL" in result.output) == (126, True)

    async def test_standard_input_is_empty(self, sandbox):
        assert await said(sandbox, "cat; echo end") == b"end\n"

    async def test_an_interrupt_is_not_ignored_from_the_start(self, sandbox):
        # What starts the tests may ignore it, and then so would everything they start.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            await self.an_interrupt_ends_it(sandbox)
        finally:
            signal.signal(signal.SIGINT, before)

    async def an_interrupt_ends_it(self, sandbox):
        result = await shell(sandbox, "sh -c 'kill -INT $$; echo survived'", shell_state=False)
        assert (result.exit_code, b"survived" in result.output) == (130, False)

    async def test_a_flood_is_counted_and_cut_in_the_middle(self, sandbox):
        result = await shell(sandbox, "echo begin; yes | head -c 3000000; echo; echo the end")
        assert result.total_bytes == 3_000_015
        assert result.output.startswith(b"begin\ny\n")
        assert result.output.endswith(b"y\n\nthe end\n")
        assert b"bytes left out ...]" in result.output
        assert len(result.output) < 300_000

    async def test_commands_run_one_after_the_other(self, sandbox):
        results = await asyncio.gather(*(shell(sandbox, f"echo {n}") for n in range(5)))
        assert [result.output for result in results] == [b"%d\n" % n for n in range(5)]

    # --- the end of a command ----------------------------------------------------------

    async def test_a_timeout_ends_the_whole_group(self, sandbox):
        await sandbox.put_tree(())
        started = time.monotonic()
        result = await shell(
            sandbox,
            "echo begun; trap '' TERM INT HUP;"
            " (trap '' TERM; setsid sh -c 'sleep 3; echo >late') & sleep 60",
            timeout=0.5,
        )
        assert (result.exit_code, result.timed_out, result.output) == (124, True, b"begun\n")
        assert time.monotonic() - started < 4
        assert await said(sandbox, "sleep 3; ls", timeout=20) == b""

    async def test_a_cancelled_command_is_ended_before_the_cancellation_comes(self, sandbox):
        await sandbox.put_tree(())
        begun = asyncio.Event()
        running = asyncio.ensure_future(
            shell(
                sandbox,
                "echo begun; setsid sh -c 'sleep 3; echo >late' & sleep 60",
                hear=lambda _: begun.set(),
            )
        )
        await asyncio.wait_for(begun.wait(), 20)
        started = time.monotonic()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert time.monotonic() - started < 1.5
        assert await said(sandbox, "sleep 3; ls", timeout=20) == b""

    async def test_what_runs_in_the_background_ends_with_its_command(self, sandbox):
        await sandbox.put_tree(())
        command = "(sleep 2; echo >late) & setsid sh -c 'sleep 2; echo >later' & echo over"
        result = await shell(sandbox, command)
        assert (result.exit_code, result.output, result.seconds < 2) == (0, b"over\n", True)
        assert await said(sandbox, "sleep 2.5; ls", timeout=20) == b""

    # --- shell state -------------------------------------------------------------------

    async def test_folder_and_exports_hold_from_command_to_command(self, sandbox):
        await shell(sandbox, "mkdir -p 'a b'; cd 'a b'; export X='1 \"2\"\n$HOME'; Y=local")
        assert await said(sandbox, 'basename "$PWD"; printf "%s" "$X"; echo "[$Y]"') == (
            b'a b\n1 "2"\n$HOME[]\n'
        )
        await shell(sandbox, "unset X LANG; cd ..; false")
        assert await said(sandbox, 'echo "[$X$LANG]"') == b"[]\n"

    async def test_state_is_kept_over_exit_errexit_and_an_exit_trap(self, sandbox):
        await shell(sandbox, "set -euo pipefail; export A=1; exit 3")
        await shell(sandbox, "set -e; export B=2; false; export B=no")
        await shell(sandbox, "trap 'echo bye' EXIT; export C=3")
        result = await shell(sandbox, 'echo $A$B$C; false; echo "${UNSET-none}"')
        assert (result.exit_code, result.output) == (0, b"123\nnone\n")

    async def test_a_command_sees_no_arguments(self, sandbox):
        assert await said(sandbox, 'echo $#"$*"') == b"0\n"
        assert await said(sandbox, 'echo $#"$*"', shell_state=False) == b"0\n"

    async def test_without_shell_state_a_command_starts_clean_and_leaves_nothing(self, sandbox):
        await shell(sandbox, "mkdir -p sub; cd sub; export X=1")
        fresh = 'basename "$PWD"; echo "[$X]"; cd /; export X=2'
        root = sandbox.facts.workdir.rpartition("/")[2].encode()
        assert await said(sandbox, fresh, shell_state=False) == root + b"\n[]\n"
        assert await said(sandbox, 'basename "$PWD"; echo "[$X]"') == b"sub\n[1]\n"

    async def test_a_working_directory_that_is_gone_falls_back_to_the_root(self, sandbox):
        await shell(sandbox, "mkdir gone; cd gone; rmdir ../gone")
        assert (await said(sandbox, "pwd")).decode() == sandbox.facts.workdir + "\n"

    async def test_the_environment_holds_nothing_of_the_host(self, sandbox, monkeypatch):
        monkeypatch.setenv("MY_SECRET_KEY", "s3cr3t")
        environment = await said(sandbox, "env", shell_state=False)
        assert b"s3cr3t" not in environment
        assert b"PYTHONDONTWRITEBYTECODE=1" in environment.splitlines()
        assert not any(line.startswith(b"CI=") for line in environment.splitlines())

    # --- the tree ----------------------------------------------------------------------

    async def test_a_tree_comes_out_as_it_went_in(self, sandbox):
        await shell(sandbox, "echo old >old; mkdir -p README/x; chmod 555 README")
        await sandbox.put_tree(TREE)
        assert await sandbox.scan() == Scan()
        assert by_path(await sandbox.fetch(ALL)) == by_path(TREE)
        assert await said(sandbox, "cat link; ./bin/run; find . ! -type d | wc -l") == (
            b"hello\nran\n%d\n" % (len(TREE) + 1)  # one name holds a newline
        )

    async def test_an_empty_tree_and_nothing_to_fetch(self, sandbox):
        await sandbox.put_tree(TREE)
        await sandbox.put_tree(())
        assert (await sandbox.scan(), await sandbox.fetch(())) == (Scan(), ())
        assert await said(sandbox, "ls -A") == b""

    async def test_a_scan_names_what_changed_until_it_is_settled(self, sandbox):
        await sandbox.put_tree(TREE)
        await shell(
            sandbox, "echo more >>README; rm link; mkdir new; echo 1 >new/f; chmod -x bin/run"
        )
        changed = Scan(("README", "bin/run", "new/f"), ("link",))
        assert await sandbox.scan() == changed
        assert await sandbox.scan() == changed
        sandbox.settle()
        assert await sandbox.scan() == Scan()
        assert by_path(await sandbox.fetch(changed.changed)) == [
            TreeFile("README", REGULAR, b"hello\nmore\n"),
            TreeFile("bin/run", REGULAR, TREE[1].content),
            TreeFile("new/f", REGULAR, b"1\n"),
        ]

    async def test_an_edit_of_the_same_size_and_time_is_found(self, sandbox):
        await sandbox.put_tree((TreeFile("a", REGULAR, b"1"), TreeFile("b", REGULAR, b"1")))
        await shell(sandbox, "touch -r a stamp; printf 2 >a; touch -r stamp a; rm stamp")
        assert await sandbox.scan() == Scan(("a",))

    async def test_an_edit_at_once_after_a_settled_one_is_found(self, sandbox):
        await sandbox.put_tree(())
        for n in range(8):
            await shell(sandbox, f"printf {n} >f", shell_state=False)
            assert await sandbox.scan() == Scan(("f",))
            sandbox.settle()

    async def test_a_git_folder_is_never_entered(self, sandbox):
        await sandbox.put_tree(())
        await shell(sandbox, "mkdir -p .git/x sub/.git; echo >.git/config; echo >sub/.git/y")
        assert await sandbox.scan() == Scan()

    async def test_applied_changes_are_settled_and_others_are_not(self, sandbox):
        await sandbox.put_tree(TREE)
        await shell(sandbox, "echo mine >mine; chmod 444 README")
        change = TreeChange(
            (
                TreeFile("README", EXECUTABLE, b"new"),
                TreeFile("link", REGULAR, b"a file now"),
                TreeFile("deep", LINK, b"README"),
                TreeFile("bin/run/inside", REGULAR, b"was a file"),
            ),
            ("-rf", "bin/run", "deep/er/and/deeper"),
        )
        await sandbox.apply(change)
        assert await sandbox.scan() == Scan(("mine",))
        paths = [file.path for file in change.written]
        assert by_path(await sandbox.fetch(paths)) == by_path(change.written)
        assert await said(sandbox, "cat README; ls -d deep/er 2>&1 >/dev/null | wc -l") == b"new1\n"

    async def test_an_applied_file_replaces_a_folder_of_other_files(self, sandbox):
        await sandbox.put_tree(())
        await shell(sandbox, "mkdir -p build/x; echo >build/x/ignored; chmod 555 build/x build")
        await sandbox.apply(TreeChange((TreeFile("build", REGULAR, b"file"),)))
        assert (await sandbox.scan(), await said(sandbox, "cat build")) == (Scan(), b"file")

    async def test_deleting_the_last_file_of_a_folder_takes_the_folder(self, sandbox):
        await sandbox.put_tree((TreeFile("a/b/c", REGULAR, b""), TreeFile("a/d", REGULAR, b"")))
        await sandbox.apply(TreeChange(deleted=("a/b/c",)))
        assert await said(sandbox, "find . | sort") == b".\n./a\n./a/d\n"

    async def test_applying_nothing_changes_nothing(self, sandbox):
        await sandbox.put_tree(TREE)
        await sandbox.apply(TreeChange())
        assert await sandbox.scan() == Scan()

    async def test_rights_that_a_command_took_do_not_hide_files(self, sandbox):
        await sandbox.put_tree((TreeFile("d/e/f", REGULAR, b"1"),))
        await shell(sandbox, "echo 2 >d/e/f; chmod 000 d/e/f d/e d")
        scan = await sandbox.scan()
        assert scan.deleted == ()
        assert await sandbox.fetch(["d/e/f"]) == (TreeFile("d/e/f", REGULAR, b"2\n"),)

    @pytest.mark.parametrize(
        ("command", "path", "words"),
        [
            ("mkfifo p", "p", "FIFO"),
            ("mkdir d; touch d/f", "d", "folder"),
            ("touch f; chmod 4755 f", "f", "setuid"),
            ("touch f; chmod 2755 f", "f", "setuid"),
            ("mkdir .GIT; touch .GIT/config", ".GIT/config", r"\.git folder"),
            ("mkdir git~1; touch git~1/config", "git~1/config", r"\.git folder"),
            ("touch .git", ".git", r"\.git folder"),
            ("touch x", "../x", "leads out"),
            ("touch x", "/etc/passwd", "absolute"),
        ],
    )
    async def test_what_must_not_come_out_is_refused(self, sandbox, command, path, words):
        await sandbox.put_tree(())
        await shell(sandbox, command)
        with pytest.raises(TreeRejected, match=words):
            await sandbox.fetch([path])
        assert await said(sandbox, "echo usable") == b"usable\n"

    async def test_a_socket_is_refused(self, sandbox):
        await sandbox.put_tree(())
        await shell(
            sandbox,
            "python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"s\")'",
        )
        assert await sandbox.scan() == Scan(("s",))
        with pytest.raises(TreeRejected, match="'s'"):
            await sandbox.fetch(["s"])

    async def test_hard_links_come_out_as_files(self, sandbox):
        await sandbox.put_tree(())
        await shell(sandbox, "echo x >a; ln a b")
        assert by_path(await sandbox.fetch(["a", "b"])) == [
            TreeFile("a", REGULAR, b"x\n"),
            TreeFile("b", REGULAR, b"x\n"),
        ]

    async def test_a_path_through_a_link_does_not_come_out(self, sandbox):
        await sandbox.put_tree(())
        await shell(sandbox, "mkdir real; echo x >real/f; ln -s real way; ln -s /etc out")
        assert await sandbox.scan() == Scan(("out", "real/f", "way"))
        assert await sandbox.fetch(["out"]) == (TreeFile("out", LINK, b"/etc"),)

    async def test_a_file_that_is_not_there_cannot_be_fetched(self, sandbox):
        await sandbox.put_tree(())
        with pytest.raises(SandboxError):
            await sandbox.fetch(["nothing"])

    async def test_a_file_over_the_limit_is_refused(self, sandbox):
        await sandbox.put_tree(())
        await shell(sandbox, "truncate -s 101M big")
        with pytest.raises(TreeRejected, match="larger than 100 MiB"):
            await sandbox.fetch(["big"])
        assert await said(sandbox, "echo usable") == b"usable\n"

    # --- single files ------------------------------------------------------------------

    @pytest.mark.parametrize("size", [0, 1, 20_000, 3_000_000])
    async def test_a_file_is_read_as_it_was_written(self, sandbox, size):
        content = (bytes(range(256)) * (size // 256 + 1))[:size]
        await sandbox.write("new folder/f", content)
        assert await sandbox.read("new folder/f", size + 10) == content
        assert await sandbox.read("new folder/f", 100) == content[:100]

    async def test_odd_names_are_read_and_written(self, sandbox):
        for name in ("-n", "a'b\"c $(x)\n", "\udcff", "{0} {{}}", "trailing\n/x\n"):
            await sandbox.write(name, name.encode("utf-8", "surrogateescape"))
            assert await sandbox.read(name, 100) == name.encode("utf-8", "surrogateescape")

    async def test_writing_keeps_the_mode_and_follows_a_link(self, sandbox):
        await sandbox.put_tree((TreeFile("run", EXECUTABLE, b"old"), TreeFile("way", LINK, b"run")))
        await shell(sandbox, "chmod 555 run")
        await sandbox.write("way", b"new")
        assert await said(sandbox, "stat -c %a run; cat run; readlink way") == b"555\nnewrun\n"

    async def test_what_cannot_be_read_says_why(self, sandbox):
        await sandbox.put_tree((TreeFile("d/f", REGULAR, b""),))
        await shell(sandbox, "mkfifo p")
        with pytest.raises(FileNotFoundError):
            await sandbox.read("nothing", 10)
        with pytest.raises(IsADirectoryError):
            await sandbox.read("d", 10)
        with pytest.raises(SandboxError, match="not a regular file"):
            await sandbox.read("p", 10)

    async def test_what_cannot_be_written_says_why(self, sandbox):
        await sandbox.put_tree((TreeFile("d/f", REGULAR, b""),))
        with pytest.raises(IsADirectoryError):
            await sandbox.write("d", b"")
        with pytest.raises(SandboxError, match="d/f/g"):
            await sandbox.write("d/f/g", b"")
        for outside in ("../x", "/etc/passwd", "a/../../x"):
            with pytest.raises(SandboxError, match="outside the tree"):
                await sandbox.write(outside, b"")
        with pytest.raises(SandboxError, match="NUL"):
            await sandbox.write("a\0b", b"")

    async def test_a_written_file_is_a_change(self, sandbox):
        await sandbox.put_tree(())
        await sandbox.write("f", b"1")
        assert await sandbox.scan() == Scan(("f",))

    # --- memory ------------------------------------------------------------------------

    async def test_memory_is_told_while_a_command_runs_or_is_not_known(self, sandbox):
        begun = asyncio.Event()
        running = asyncio.ensure_future(
            shell(sandbox, "echo; while [ ! -e go ]; do :; done", hear=lambda _: begun.set())
        )
        await asyncio.wait_for(begun.wait(), 20)
        used, limit = await sandbox.memory() or (1, 0)
        assert (used > 0, limit >= 0, running.done()) == (True, True, False)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        # The next command is as it was: asking has left nothing behind.
        assert await said(sandbox, "echo next") == b"next\n"

    # --- the end -----------------------------------------------------------------------

    async def test_a_closed_sandbox_is_lost_and_closing_again_is_fine(self, sandbox):
        started = time.monotonic()
        await sandbox.close()
        await sandbox.close()
        assert time.monotonic() - started < 3
        for call in (
            lambda: shell(sandbox, "echo"),
            sandbox.scan,
            sandbox.memory,
            lambda: sandbox.read("a", 1),
            lambda: sandbox.write("a", b""),
            lambda: sandbox.put_tree(()),
            lambda: sandbox.fetch(["a"]),
        ):
            with pytest.raises(SandboxLost):
                await call()

    async def test_closing_ends_a_running_command(self, sandbox):
        begun = asyncio.Event()
        running = asyncio.ensure_future(
            shell(sandbox, "echo; sleep 60", hear=lambda _: begun.set())
        )
        await asyncio.wait_for(begun.wait(), 20)
        await sandbox.close()
        with pytest.raises(SandboxLost):
            await running
