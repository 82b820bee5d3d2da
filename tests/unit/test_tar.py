import io
import os
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal_tui.adapters.outgoing import Gate, TreeLimits, check_asked
from selfheal_tui.adapters.tar import TarReader, tar_size, write_tar
from selfheal_tui.core.paths import fault_of
from selfheal_tui.core.tree import EXECUTABLE, LINK, REGULAR, TreeFile
from selfheal_tui.errors import TreeRejected

MANY = settings(max_examples=150, deadline=None)

part = st.binary(min_size=1, max_size=120).map(
    lambda raw: os.fsdecode(raw.replace(b"/", b"_").replace(b"\0", b"_"))
)
path = st.lists(part, min_size=1, max_size=4).map("/".join).filter(lambda p: fault_of(p) is None)
plain = st.builds(TreeFile, path, st.sampled_from([REGULAR, EXECUTABLE]), st.binary(max_size=1500))
link = st.builds(
    TreeFile,
    path,
    st.just(LINK),
    st.binary(min_size=1, max_size=300).filter(lambda target: b"\0" not in target),
)
tree = st.lists(plain | link, max_size=6, unique_by=lambda file: file.path).map(tuple)


def packed(*files: TreeFile) -> bytes:
    return b"".join(write_tar(files))


def read(stream: bytes, size: int = 0, limits: TreeLimits | None = None) -> tuple[TreeFile, ...]:
    reader = TarReader(Gate(limits or TreeLimits()))
    size = size or len(stream) or 1
    for start in range(0, len(stream), size):
        reader.feed(stream[start : start + size])
    return reader.close()


def made(*entries: tuple[tarfile.TarInfo, bytes], kind: int = tarfile.GNU_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=kind) as archive:
        for info, content in entries:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def entry(name: str, *, mode: int = 0o644, kind: bytes = tarfile.REGTYPE, to: str = ""):
    info = tarfile.TarInfo(name)
    info.mode, info.type, info.linkname = mode, kind, to
    return info


@MANY
@given(tree, st.integers(1, 3000))
def test_what_is_written_is_read_again_in_whatever_pieces(files: tuple[TreeFile, ...], size: int):
    stream = packed(*files)
    assert (read(stream, size), len(stream)) == (files, tar_size(files))


@MANY
@given(tree)
def test_pythons_tarfile_reads_the_same(files: tuple[TreeFile, ...]):
    with tarfile.open(
        fileobj=io.BytesIO(packed(*files)), encoding="utf-8", errors="surrogateescape"
    ) as archive:
        found = []
        for info in archive:
            assert (info.uid, info.gid, info.mtime, info.uname, info.gname) == (0, 0, 0, "", "")
            if info.issym():
                found.append(TreeFile(info.name, LINK, os.fsencode(info.linkname)))
            else:
                mode = EXECUTABLE if info.mode == 0o755 else REGULAR
                content = archive.extractfile(info)
                found.append(TreeFile(info.name, mode, content.read() if content else b""))
    # tarfile itself drops slashes at the end of a name.
    assert [(f.path.rstrip("/"), f.mode, f.content) for f in files] == [
        (f.path, f.mode, f.content) for f in found
    ]


@MANY
@given(tree)
def test_what_pythons_tarfile_writes_is_read(files: tuple[TreeFile, ...]):
    entries = []
    for file in files:
        kind = tarfile.SYMTYPE if file.mode == LINK else tarfile.REGTYPE
        to = os.fsdecode(file.content) if file.mode == LINK else ""
        info = entry(file.path, mode=file.mode & 0o777, kind=kind, to=to)
        entries.append((info, b"" if file.mode == LINK else file.content))
    assert read(made(*entries)) == files


@MANY
@given(st.binary(max_size=3000))
def test_any_bytes_are_read_or_refused(stream: bytes):
    try:
        files = read(stream)
    except TreeRejected:
        return
    assert files == ()


@MANY
@given(tree.filter(bool), st.data())
def test_a_damaged_stream_never_yields_a_bad_name(files: tuple[TreeFile, ...], data: st.DataObject):
    stream = bytearray(packed(*files))
    for _ in range(3):
        stream[data.draw(st.integers(0, len(stream) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = read(bytes(stream))
    except TreeRejected:
        return
    assert [fault_of(file.path) for file in found] == [None] * len(found)


def test_the_same_files_make_the_same_bytes():
    file = TreeFile("a", REGULAR, b"x")
    assert packed(file) == packed(TreeFile("a", REGULAR, b"x"))


def test_a_large_tree_is_written_in_pieces_of_bounded_size():
    files = [TreeFile(f"f{n}", REGULAR, bytes(50_000)) for n in range(40)]
    sizes = [len(piece) for piece in write_tar(files)]
    assert (max(sizes) < 400_000, sum(sizes)) == (True, tar_size(files))


@pytest.mark.parametrize(
    ("info", "words"),
    [
        (entry("../a"), "leads out of the tree"),
        (entry("/etc/passwd"), "is an absolute path"),
        (entry("a/.GIT/config"), "part of a .git folder"),
        (entry("git~1/x"), "part of a .git folder"),
        (entry("d", kind=tarfile.DIRTYPE), "is a folder"),
        (entry("p", kind=tarfile.FIFOTYPE), "is a FIFO"),
        (entry("c", kind=tarfile.CHRTYPE), "is a character device"),
        (entry("b", kind=tarfile.BLKTYPE), "is a block device"),
        (entry("h", kind=tarfile.LNKTYPE, to="a"), "is a hard link"),
        (entry("s", kind=b"S"), "neither a file nor a link"),
        (entry("su", mode=0o4755), "setuid"),
        (entry("sg", mode=0o2755), "setgid"),
        (entry("l", kind=tarfile.SYMTYPE, to=""), "broken link"),
    ],
)
def test_what_must_not_come_out_is_refused_with_a_sentence(info: tarfile.TarInfo, words: str):
    with pytest.raises(TreeRejected, match=words):
        read(made((info, b"")))


def test_a_pax_stream_is_refused():
    with pytest.raises(TreeRejected, match="neither a file nor a link"):
        read(made((entry("n" * 300), b""), kind=tarfile.PAX_FORMAT))


def test_a_name_that_comes_twice_is_refused():
    with pytest.raises(TreeRejected, match="twice"):
        read(made((entry("a"), b"1"), (entry("a"), b"2")))


def test_a_stream_that_goes_on_after_its_end_is_refused():
    stream = packed(TreeFile("a", REGULAR, b"1"))
    for more in (bytes(2 * 10_240), b"\0" * 512 + b"x"):
        with pytest.raises(TreeRejected, match="goes on after its end"):
            read(stream + more, 512)


def test_names_that_belong_to_no_file_are_refused_at_the_second():
    long = packed(TreeFile("n" * 200, REGULAR, b""))[:1024]
    with pytest.raises(TreeRejected, match="two names"):
        read(long * 2)


def test_a_file_that_was_not_asked_for_is_refused_before_its_content():
    reader = TarReader(Gate(asked={"a"}))
    with pytest.raises(TreeRejected, match="'b', which was not asked for"):
        reader.feed(packed(TreeFile("a", REGULAR, b"1"), TreeFile("b", REGULAR, b"2"))[:1536])


def test_a_refusal_names_a_long_path_in_short():
    with pytest.raises(TreeRejected) as refused:
        check_asked(["d/" * 10_000 + "f"])
    assert "more than 256 folders deep" in str(refused.value)
    assert len(str(refused.value)) < 400


def test_a_cut_stream_is_refused():
    stream = packed(TreeFile("a", REGULAR, bytes(2000)))
    with pytest.raises(TreeRejected, match="cut short"):
        read(stream[:1500])


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (TreeLimits(files=1), "more than 1 files"),
        (TreeLimits(file_bytes=1024 * 1024), "larger than 1 MiB"),
        (TreeLimits(tree_bytes=2 * 1024 * 1024), "changes are larger than 2 MiB"),
    ],
)
def test_a_limit_is_seen_before_the_content_is_read(limits: TreeLimits, words: str):
    files = [TreeFile(name, REGULAR, bytes(1_200_000)) for name in "ab"]
    stream = packed(*files)
    with pytest.raises(TreeRejected, match=words):
        read(stream[: 1_200_000 + 3 * 512], limits=limits)


@pytest.mark.parametrize("blocks", range(20))
def test_the_size_is_that_of_what_is_written_wherever_the_last_record_ends(blocks):
    files = [TreeFile(f"f{number}", REGULAR, b"") for number in range(blocks)]
    assert tar_size(files) == sum(map(len, write_tar(files)))
