"""Tar streams and lists of files as no honest program writes them: (bytes, what is said of it)."""

from __future__ import annotations

import io
import tarfile

ASKED = "a.txt"
TICK = b"\0f 644 1 9.0 9.5 1\0"
STAMP = b"f 644 2 8.0 8.0 77"


def entry(name: str, **fields: object) -> tarfile.TarInfo:
    """A header with these fields."""
    info = tarfile.TarInfo(name)
    for field, value in fields.items():
        setattr(info, field, value)
    return info


def tar(*entries: tuple[tarfile.TarInfo, bytes], kind: int = tarfile.GNU_FORMAT) -> bytes:
    """A whole stream of these entries; a size that is set beforehand stays as it is."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=kind) as archive:
        for info, content in entries:
            lied = info.size
            info.size = lied or len(content)
            out.write(info.tobuf(kind, "utf-8", "surrogateescape"))
            out.write(content + bytes(-len(content) % 512))
        archive.offset = out.tell()
    return out.getvalue()


def long(kind: bytes, name: bytes) -> bytes:
    """GNU's entry that gives the next one a long name (L) or target (K)."""
    info = entry("././@LongLink", type=kind, size=len(name))
    return info.tobuf(tarfile.GNU_FORMAT) + name + bytes(-len(name) % 512)


PLAIN = tar((entry(ASKED), b"x\n"))
HEADER = PLAIN[:512]
NEGATIVE = HEADER[:124] + b"\xff" * 12 + HEADER[136:]
HUGE = HEADER[:124] + b"\x80" + b"\x7f" * 11 + HEADER[136:]


def summed(header: bytes) -> bytes:
    """The header with its own sum."""
    total = sum(header[:148]) + sum(header[156:]) + 8 * 32
    return header[:148] + b"%06o\0 " % total + header[156:]


STREAMS = {
    "nothing": (b"", "cut short"),
    "not a tar": (b"usage: tar\n" * 200, "not a tar stream"),
    "cut in a header": (PLAIN[:300], "cut short"),
    "cut in the content": (PLAIN[:513], "cut short"),
    "without an end": (PLAIN[:1024], "cut short"),
    "a file twice": (tar((entry(ASKED), b"1"), (entry(ASKED), b"2")), "comes twice"),
    "another file": (tar((entry("evil"), b"1")), "'evil', which was not asked for"),
    "one file more": (tar((entry(ASKED), b"1"), (entry("evil"), b"1")), "not asked for"),
    "a size that is too large": (summed(HUGE) + bytes(1024), "larger than 100 MiB"),
    "a negative size": (summed(NEGATIVE) + bytes(1024), "not a tar stream"),
    "a size beyond the end": (tar((entry(ASKED, size=40_960), b"1")), "cut short"),
    "a wrong sum": (HEADER[:100] + b"9" + HEADER[101:] + bytes(1024), "not a tar stream"),
    "a character device": (tar((entry(ASKED, type=tarfile.CHRTYPE), b"")), "character device"),
    "a block device": (tar((entry(ASKED, type=tarfile.BLKTYPE), b"")), "block device"),
    "a FIFO": (tar((entry(ASKED, type=tarfile.FIFOTYPE), b"")), "a FIFO"),
    "a folder": (tar((entry(ASKED, type=tarfile.DIRTYPE), b"")), "is a folder|not a plain path"),
    "a hard link": (
        tar((entry(ASKED, type=tarfile.LNKTYPE, linkname="/etc/shadow"), b"")),
        "a hard link",
    ),
    "a sparse file": (tar((entry(ASKED, type=b"S"), b"")), "neither a file nor a link"),
    "a contiguous file": (tar((entry(ASKED, type=b"7"), b"x")), "neither a file nor a link"),
    "another volume": (tar((entry(ASKED, type=b"M"), b"x")), "neither a file nor a link"),
    "a listed folder": (tar((entry(ASKED, type=b"D"), b"x\0")), "neither a file nor a link"),
    "a global pax header": (
        tar((entry("pax", type=b"g"), b"20 path=../../evil\n"), (entry(ASKED), b"")),
        "neither a file nor a link|not asked for",
    ),
    "a pax header": (
        tar((entry("pax", type=b"x"), b"20 path=../../evil\n"), (entry(ASKED), b"")),
        "neither a file nor a link|not asked for",
    ),
    "a setuid file": (tar((entry(ASKED, mode=0o4755), b"")), "setuid or setgid"),
    "a link with content": (
        tar((entry(ASKED, type=tarfile.SYMTYPE, linkname="x", size=3), b"abc")),
        "a broken link",
    ),
    "a link to nothing": (tar((entry(ASKED, type=tarfile.SYMTYPE), b"")), "a broken link"),
    "a long name that leads out": (long(b"L", b"../../evil\0") + PLAIN, "leads out of the tree"),
    "a long name that is absolute": (long(b"L", b"/etc/passwd\0") + PLAIN, "absolute path"),
    "a long name for .git": (long(b"L", b".git/hooks/x\0") + PLAIN, "part of a .git folder"),
    "a long name without a letter": (long(b"L", b"\0\0") + PLAIN, "is not a name"),
    "a long name of a megabyte": (long(b"L", b"n" * 1_000_000) + PLAIN, "too long"),
    "long names without a file": (long(b"L", b"x\0") * 5000, "two names"),
    "a name in two parts": (
        tar((entry(f"{'d' * 100}/{ASKED}"), b""), kind=tarfile.USTAR_FORMAT),
        "not asked for",
    ),
    "a name that ends in a slash": (tar((entry(ASKED + "/"), b"")), "not a plain path"),
    "a stream that goes on": (PLAIN + bytes(200_000), "goes on after its end"),
    "a second stream behind the end": (PLAIN + PLAIN, "goes on after its end"),
}
"""What stands for a `tar -c` of the one file that was asked for."""

SAYS_A = TICK + b"a.txt\0" + STAMP + b"\0"

LISTINGS = {
    "nothing": (b"", "cannot be read"),
    "words": (b"find: no such file\n", "cannot be read"),
    "no tick": (b"a.txt\0" + STAMP + b"\0", "cannot be read"),
    "an odd number of parts": (SAYS_A + b"x\0", "cannot be read"),
    "no end": (SAYS_A + b"x", "cannot be read"),
    "a file that is not there": (TICK + b"nowhere\0" + STAMP + b"\0", "could not be read"),
    "an absolute name": (TICK + b"/etc/passwd\0" + STAMP + b"\0", "absolute path"),
    "a name that leads out": (TICK + b"../../etc/passwd\0" + STAMP + b"\0", "out of the tree"),
    "rules that lead out": (TICK + b"../.gitignore\0" + STAMP + b"\0", "out of the tree"),
    "rules of the root": (TICK + b"/.gitignore\0" + STAMP + b"\0", "absolute path"),
    "an empty name": (TICK + b"\0" + STAMP + b"\0", "is not a name"),
    "a dot": (TICK + b".\0" + STAMP + b"\0", "not a plain path"),
    "a .git": (TICK + b".git/config\0" + STAMP + b"\0", "part of a .git folder"),
    "a folder as a file": (TICK + b"src\0" + STAMP + b"\0", "'src/?' is a folder"),
    "a stamp without fields": (TICK + b"a.txt\0?\0", "cannot be read"),
    "a stamp of a megabyte": (TICK + b"a.txt\0" + b"9" * 1_000_000 + b"\0", "too long"),
    "a name of a megabyte": (TICK + b"n" * 1_000_000, "too long to be listed"),
    "a million names": (
        TICK + b"".join(b"%x\0f 1 1 1 1 1\0" % n for n in range(210_000)),
        "more than 200000 files",
    ),
    "two million of one name": (TICK + b"a\0f\0" * 2_000_000, "more files than can be listed"),
    "zeros": (TICK + bytes(8_000_000), "more files than can be listed"),
}
"""What stands for a `find` of the tree; the files are those of the rig."""
