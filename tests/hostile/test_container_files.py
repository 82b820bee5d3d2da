"""Every kind of file and every name, made inside a real container by what the agent runs."""

from __future__ import annotations

import os
import re

import pytest

from selfheal_tui.core.tree import EXECUTABLE, LINK, REGULAR
from tests.hostile.rig import a_rig

pytestmark = pytest.mark.engine

REFUSED = {
    "a FIFO": ("mkfifo pipe", "'pipe' is a FIFO"),
    "a FIFO of a file's name": ("rm a.txt; mkfifo a.txt", "'a.txt' is a FIFO"),
    "a socket": (
        "python3 -c \"import socket; socket.socket(1).bind('sock')\"",
        "'sock' is something else",
    ),
    "a setuid file": ("cp /bin/true su; chmod 4755 su", "'su' is setuid or setgid"),
    "a setgid file": ("touch sg; chmod 2755 sg", "'sg' is setuid or setgid"),
    "a setuid file without content": ("touch e; chmod 6000 e", "'e' is setuid or setgid"),
    ".GIT": ("mkdir .GIT; echo x >.GIT/config", "part of a .git folder"),
    ".Git as a file": ("echo 'gitdir: /' >.Git", "part of a .git folder"),
    "git~1": ("mkdir git~1; echo x >git~1/config", "part of a .git folder"),
    "GIT~2 far below": ("mkdir -p src/x/GIT~2; echo x >src/x/GIT~2/y", "part of a .git folder"),
    "a .git with a joiner": ("mkdir .g$'\\u200c'it; echo x >.g$'\\u200c'it/c", "a .git folder"),
    "a .git with a byte order mark": ("echo x >$'\\ufeff'.git", "a .git folder"),
    "a .git in full width": ("echo x >.$'\\uff47\\uff49\\uff54'", "a .git folder"),
    "a .git in small letters of a circle": ("echo x >.$'\\u24d6\\u24d8\\u24e3'", "a .git folder"),
    "a .git that ends in dots": ("echo x >'.git. .'", "a .git folder"),
    "a stream of .git": ("echo x >.git::\\$INDEX_ALLOCATION", "a .git folder"),
    "a .git behind a backslash": ("echo x >'src\\.git\\config'", "a .git folder"),
    "two names of one case": ("echo 1 >Readme; echo 2 >README", "take for"),
    "a name of another case than the user's": ("echo 1 >A.TXT", "take for 'a.txt'"),
    "a folder of another case": ("mkdir SRC; echo 1 >SRC/new", "take for 'src'"),
    "two normal forms of one name": (
        "echo 1 >$'\\u00e9'; echo 2 >e$'\\u0301'",
        "take for",
    ),
    "two names that fold to one": ("echo 1 >stra$'\\u00df'e; echo 2 >STRASSE", "take for"),
    "a bare repository": (
        "mkdir x && cd x && git init -q --bare && touch refs/x objects/x",
        "takes for a repository",
    ),
    "a repository whose common folder is elsewhere": (
        "mkdir -p x y/refs y/objects; touch y/refs/k y/objects/k; echo 'ref: refs/heads/x' >x/HEAD;"
        " echo ../y >x/commondir; echo '[core]' >y/config",
        "'x', which git takes for a repository",
    ),
    "a bare repository to other systems": (
        "mkdir -p x/objects. x/$'ref\\u200cs'; touch x/HEAD x/objects./k x/$'ref\\u200cs'/k",
        "'x', which git takes for a repository",
    ),
    "a bare repository as the root": (
        "mkdir -p objects refs; echo x >HEAD; touch objects/x refs/x",
        "'.', which git takes for a repository",
    ),
    "a bare repository below a file's folder": (
        "cd src; echo ref >HEAD; mkdir Objects REFS; touch Objects/x REFS/x",
        "takes for a repository",
    ),
    "a name below 300 folders": (
        "d=d; for i in $(seq 299); do d=$d/d; done; mkdir -p $d; touch $d/f",
        "more than 256 folders deep",
    ),
    "a path of 5,000 bytes": (
        "n=$(printf %0200d 0); for i in $(seq 25); do mkdir $n && cd $n; done; touch f",
        "is too long",
    ),
    "a file that is a byte too large": (
        "head -c 104857601 /dev/zero >large",
        "'large' is larger than 100 MiB",
    ),
    "a file of a terabyte with nothing in it": (
        "truncate -s 1T sparse; ls -s sparse",
        "neither a file nor a link|larger than 100 MiB",
    ),
}

TAKEN = {
    "a link out of the tree": ("ln -s ../../etc/passwd out", {"out": (LINK, b"../../etc/passwd")}),
    "an absolute link": ("ln -s /etc/shadow abs", {"abs": (LINK, b"/etc/shadow")}),
    "a link to itself": ("ln -s loop loop", {"loop": (LINK, b"loop")}),
    "a link into .git": ("ln -s .git/hooks h", {"h": (LINK, b".git/hooks")}),
    "a link with controls": ("ln -s $'\\e]0;x\\a\\n' c", {"c": (LINK, b"\x1b]0;x\x07\n")}),
    "a long link": (f"ln -s {'x/' * 2000}y far", {"far": (LINK, b"x/" * 2000 + b"y")}),
    "hard links": ("ln a.txt h1; ln a.txt h2", {"h1": (REGULAR, b"a\n"), "h2": (REGULAR, b"a\n")}),
    "a hard link to a link": ("ln -s x l1; ln l1 l2", {"l1": (LINK, b"x"), "l2": (LINK, b"x")}),
    "a sticky file": ("echo 1 >t; chmod 1644 t", {"t": (REGULAR, b"1\n")}),
    "a file for everybody": ("echo 1 >w; chmod 777 w", {"w": (EXECUTABLE, b"1\n")}),
    "a file that nobody may read": ("echo 1 >n; chmod 0 n", {"n": (REGULAR, b"1\n")}),
    "a folder that nobody may enter": (
        "mkdir n; echo 1 >n/f; chmod 0 n",
        {"n/f": (REGULAR, b"1\n")},
    ),
    "a .git folder anywhere is not part of the tree": (
        "mkdir -p .git/hooks src/.git; echo x >.git/hooks/post-commit; echo x >src/.git/config",
        {},
    ),
    "a .git file is not part of the tree": ("echo 'gitdir: /' >.git; cp .git src/.git", {}),
    "a repository in the tree, without its .git": (
        "git init -q in && echo 1 >in/f",
        {"in/f": (REGULAR, b"1\n")},
    ),
    "names that are options": (
        "echo 1 >-rf; echo 2 >--checkpoint-action=exec=sh; echo 3 >-T; echo 4 >--delete",
        {
            "-rf": (REGULAR, b"1\n"),
            "--checkpoint-action=exec=sh": (REGULAR, b"2\n"),
            "-T": (REGULAR, b"3\n"),
            "--delete": (REGULAR, b"4\n"),
        },
    ),
    "names of magic, quotes and expansions": (
        "touch ':(top)x' ':!a' '$(id)' '`id`' '\"q\"' \"'\" '*' '~' '#c' '@{u}' ' '",
        dict.fromkeys(
            (":(top)x", ":!a", "$(id)", "`id`", '"q"', "'", "*", "~", "#c", "@{u}", " "),
            (REGULAR, b""),
        ),
    ),
    "a name with a newline": ("touch $'x\\ny'", {"x\ny": (REGULAR, b"")}),
    "a name of controls": (
        "touch $'\\e]52;c;eA==\\a\\x7f'",
        {"\x1b]52;c;eA==\x07\x7f": (REGULAR, b"")},
    ),
    "a name that is not UTF-8": (
        "touch $'\\xff\\xfe\\xc0\\xaf'",
        {os.fsdecode(b"\xff\xfe\xc0\xaf"): (REGULAR, b"")},
    ),
    "a name of bidi controls": ("touch $'x\\u202etxt.exe'", {"x\u202etxt.exe": (REGULAR, b"")}),
    "the longest name": (f"touch {'n' * 255}", {"n" * 255: (REGULAR, b"")}),
    "256 levels": (
        "d=d; for i in $(seq 254); do d=$d/d; done; mkdir -p $d; touch $d/f",
        {"d/" * 255 + "f": (REGULAR, b"")},
    ),
    "a file in the place of a folder": (
        "rm -r src; echo 1 >src",
        {"src": (REGULAR, b"1\n")},
    ),
    "a folder in the place of a file": (
        "rm a.txt; mkdir a.txt; echo 1 >a.txt/f",
        {"a.txt/f": (REGULAR, b"1\n")},
    ),
    "a folder that became a link, with the files below it": (
        "mv src moved; ln -s moved src",
        {
            "moved/b.py": (REGULAR, b"b = 1\n"),
            "moved/deep/c.txt": (REGULAR, b"c\n"),
            "src": (LINK, b"moved"),
        },
    ),
    "a link to a folder out of the tree": (
        "rm -r src; ln -s /etc src",
        {"src": (LINK, b"/etc")},
    ),
    "a file of 100 MiB exactly": (
        "head -c 104857600 /dev/zero >most",
        {"most": (REGULAR, bytes(104_857_600))},
    ),
}


async def test_what_must_not_come_out_is_refused_by_name_and_the_rest_comes_as_it_is(
    tmp_path, engine, base_image
):
    outcomes: dict[str, str] = {}
    got_out: dict[str, object] = {}
    async with a_rig(tmp_path, engine, base_image) as rig:
        for name, (command, _) in REFUSED.items():
            outcomes[name] = await rig.attempt(command)
            await rig.again()
        for name, (command, _) in TAKEN.items():
            assert "got out" in (said := await rig.attempt(command)), (name, said)
            got_out[name] = await rig.changes()
            await rig.again()
        # The container has seen all of it and still serves.
        assert await rig.attempt("echo usable >a.txt") == "1 got out"
        assert len(rig.opened) == 1
    wrong = {
        name: outcomes[name]
        for name, (_, words) in REFUSED.items()
        if not re.match(f"TreeRejected: .*(?:{words})", outcomes[name], re.DOTALL)
    }
    assert wrong == {}
    assert max(map(len, outcomes.values())) < 600
    assert {name: got_out[name] for name in TAKEN} == {name: TAKEN[name][1] for name in TAKEN}


async def test_after_a_refusal_the_files_come_back_in_a_fresh_container(
    tmp_path, engine, base_image
):
    async with a_rig(tmp_path, engine, base_image) as rig:
        await rig.said("mkfifo x; chmod 0 src; echo b >a.txt")
        assert await rig.workspace.sync_or_drop() == rig.workspace.base
        assert await rig.said("cat a.txt src/b.py; ls -A") == "a\nb = 1\na.txt\nsrc\n"
        assert len(rig.opened) == 2


async def test_no_device_can_be_made_by_anybody(tmp_path, engine, base_image):
    async with a_rig(tmp_path, engine, base_image) as rig:
        made = "for k in 'c 1 3' 'b 8 0' 'c 10 200'; do mknod d$RANDOM $k && echo made; done; ls"
        said = await rig.said(f"{made}; ls /dev; touch /dev/x")
    assert "made" not in said
    assert not re.search(r"^(sd|vd|nvme|mem|kmsg|fuse|kvm|loop)", said, re.MULTILINE)


async def test_folders_without_end_are_refused_and_removed(tmp_path, engine, base_image):
    deep = (
        "python3 -c \"import os\nfor _ in range(10000):\n os.mkdir('d'); os.chdir('d')\n"
        "open('f', 'w')\""
    )
    async with a_rig(tmp_path, engine, base_image) as rig:
        refused = await rig.attempt(deep)
        await rig.again()
        assert await rig.said("ls -A") == "a.txt\nsrc\n"
    assert re.match("TreeRejected: .*more than 256 folders deep", refused)
    assert len(refused) < 600


async def test_names_without_end_are_refused(tmp_path, engine, base_image):
    deep = (
        "python3 -c \"import os\nfor _ in range(1000):\n os.mkdir('n' * 250); os.chdir('n' * 250)\n"
        "open('f', 'w')\""
    )
    async with a_rig(tmp_path, engine, base_image) as rig:
        assert "too long to be listed" in await rig.attempt(deep)
        await rig.workspace.restore(rig.workspace.base)
        assert await rig.said("ls -A") == "a.txt\nsrc\n"
