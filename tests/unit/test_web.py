"""The interface in a browser: who gets in, what is served, and what ends with what.

A real client over the loopback interface; no engine and no network.
"""

from __future__ import annotations

import asyncio
import os
import re
import select
import signal
import socket
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from selfheal_tui.adapters.web import tab
from selfheal_tui.adapters.web.server import WebServer
from selfheal_tui.cli import main
from tests.support.headless import Workplace
from tests.support.terminal import plain

FILES = {"a.txt": "a\n"}
PROC = Path("/proc")
ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(not (PROC / "self/stat").exists(), reason="looks into /proc")

SPEAKS = """
import os, sys
def packet(kind, data):
    os.write(1, kind + len(data).to_bytes(4, "big") + data)
os.write(1, b"__GANGLION__\\n")
packet(b"D", b"hello from %d" % os.getpid())
while head := sys.stdin.buffer.read(5):
    data = sys.stdin.buffer.read(int.from_bytes(head[1:], "big"))
    packet(b"D", head[:1] + b"=" + data)
"""
"""A program that behind a tab tells what it hears, until its input ends."""

FLOODS = (
    SPEAKS.partition("while head")[0]
    + """
import threading
def leave_at_the_end():
    sys.stdin.read()
    os._exit(0)
threading.Thread(target=leave_at_the_end).start()
while True:
    packet(b"D", b"x" * 65536)
"""
)

STUBBORN = SPEAKS + "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nsignal.pause()\n"


# --- a server in this process ----------------------------------------------------------------


@asynccontextmanager
async def served(folder, program=SPEAKS):
    """The server's URL; behind each tab runs `program`."""
    server = WebServer([sys.executable, "-c", program], folder, {}, 0)
    try:
        yield await server.open()
    finally:
        await server.close()


@asynccontextmanager
async def browser(url=None):
    """A client that keeps cookies; with `url` it has come in by it."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as client:
        if url:
            async with client.get(url) as answer:
                assert answer.status == 200
        yield client


def room(url):
    return url.partition("?")[0]


def origin(url):
    return "/".join(url.split("/")[:3])


def tab_of(client, url, **options):
    options = {"origin": origin(url)} | options
    return client.ws_connect(room(url).replace("http", "ws") + "ws?width=90&height=20", **options)


@asynccontextmanager
async def pair(client, url):
    async with tab_of(client, url) as one, tab_of(client, url) as two:
        yield one, two


@asynccontextmanager
async def opened(folder, program=SPEAKS):
    """One tab of a server of its own."""
    async with (
        served(folder, program) as url,
        browser(url) as client,
        tab_of(client, url) as socket,
    ):
        yield socket


async def status(client, url, **options):
    async with client.get(url, allow_redirects=False, **options) as answer:
        return answer.status


async def drawn(socket, what, timeout=60):
    """What comes until `what` was drawn."""
    seen = bytearray()

    async def read():
        while what not in seen:
            message = await socket.receive()
            assert message.type is aiohttp.WSMsgType.BINARY, (message, seen)
            seen.extend(message.data)

    try:
        await asyncio.wait_for(read(), timeout)
    except asyncio.TimeoutError:
        raise AssertionError(f"{what!r} never came: {plain(seen.decode())}") from None
    return bytes(seen)


async def test_the_token_lets_one_browser_in_and_is_void_then(tmp_path):
    async with served(tmp_path) as url, browser() as first, browser() as second:
        async with first.get(url) as answer:
            cookie = answer.headers["Set-Cookie"]
            assert answer.status == 200
        assert re.fullmatch(
            rf"selfheal-\d+=[\w-]{{43}}; HttpOnly; Path=/{room(url).split('/')[3]}/;"
            " SameSite=Strict",
            cookie,
        )
        assert await status(first, room(url)) == 200
        assert await status(second, url) == 403
        # In the browser that came in, the same link only leads to the page.
        assert await status(first, url) == 303


async def test_a_wrong_token_is_refused_and_leaves_the_right_one_valid(tmp_path):
    async with served(tmp_path) as url, browser() as client:
        for wrong in ("", "x", "\u00e9", "x" * 5000):
            assert await status(client, room(url), params={"token": wrong}) == 403
        assert await status(client, origin(url), params={"token": url.partition("=")[2]}) == 403
        assert await status(client, url) == 200


@pytest.mark.parametrize("path", ["", "ws", "static/js/textual.js", "static/", "download/x", "y"])
async def test_without_the_cookie_everything_is_refused(tmp_path, path):
    async with served(tmp_path) as url, browser(url), browser() as stranger:
        for address in (room(url) + path, f"{origin(url)}/{path}"):
            assert await status(stranger, address) == 403
            async with stranger.post(address) as answer:
                assert answer.status == 403
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            await tab_of(stranger, url)


async def test_another_name_of_this_machine_is_refused_even_with_the_cookie(tmp_path):
    async with served(tmp_path) as url, browser(url) as client:
        port = url.split(":")[2].split("/")[0]
        for name in (f"localhost:{port}", f"evil.example:{port}", "127.0.0.1", "127.0.0.1:1"):
            assert await status(client, room(url), headers={"Host": name}) == 403
            with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
                await tab_of(client, url, headers={"Host": name})


async def test_another_page_is_refused_even_with_the_cookie(tmp_path):
    async with served(tmp_path) as url, browser(url) as client:
        for other in (
            "http://evil.example",
            "null",
            "http://127.0.0.1:1",
            "http://localhost",
            None,
        ):
            with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
                await tab_of(client, url, origin=other)
        assert await status(client, room(url), headers={"Origin": "http://evil.example"}) == 403
        assert await status(client, room(url), headers={"Origin": origin(url)}) == 200


async def test_the_page_loads_nothing_of_another_host(tmp_path):
    async with served(tmp_path) as url, browser(url) as client:
        async with client.get(room(url)) as answer:
            page = await answer.text()
            policy = answer.headers["Content-Security-Policy"]
        assert re.findall(r"(?:https?:)?//[\w.:]+", page) == [origin(url).removeprefix("http:")]
        assert policy.startswith("default-src 'none'; script-src 'self';")
        assert set(re.findall(r"\w+://\S+?(?=[; ])", policy)) == {origin(url).replace("http", "ws")}
        asked = re.findall(r'(?:src|href)="(static/[^"]+)"|url\("([^"]+)"\)', page)
        assert len(asked) == 4
        for path in map("".join, asked):
            assert await status(client, room(url) + path) == 200


async def test_a_refusal_has_the_same_headers_and_no_secret(tmp_path):
    async with served(tmp_path) as url, browser() as client, client.get(room(url)) as answer:
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        text = await answer.text()
        assert url.partition("=")[2] not in text
        assert "selfheal web" in text


async def test_keys_sizes_and_focus_reach_the_process_of_their_own_tab(tmp_path):
    async with served(tmp_path) as url, browser(url) as client, pair(client, url) as (one, two):
        assert await drawn(one, b"hello") != await drawn(two, b"hello")
        await one.send_json(["stdin", "\u00e9"])
        assert await drawn(one, "D=\u00e9".encode()) == "D=\u00e9".encode()
        await one.send_json(["resize", {"width": 100, "height": 1_000_000}])
        assert b'"width": 100, "height": 1000' in await drawn(one, b"1000")
        await one.send_json(["focus"])
        assert b'"focus"' in await drawn(one, b"}")
        await one.send_json(["ping", "7"])
        assert await one.receive_json() == ["pong", "7"]


@pytest.mark.parametrize(
    "message",
    ["no json", "[1", "{}", "[]", '["stdin"]', '["stdin", 1]', '["resize", {"width": "x"}]', "9"],
)
async def test_a_message_that_no_page_of_ours_sends_ends_its_tab_only(tmp_path, message):
    async with served(tmp_path) as url, browser(url) as client, pair(client, url) as (one, two):
        pid = process_in(await drawn(one, b"hello"))
        await drawn(two, b"hello")
        await one.send_str(message)
        assert (await one.receive()).type is aiohttp.WSMsgType.CLOSE
        assert one.close_code == 1003
        await gone(pid)
        await two.send_json(["stdin", "still here"])
        await drawn(two, b"still here")


async def test_a_closed_tab_ends_its_process(tmp_path):
    async with served(tmp_path) as url, browser(url) as client:
        async with tab_of(client, url) as socket:
            pid = process_in(await drawn(socket, b"hello"))
            assert alive(pid)
        await gone(pid)


async def test_a_process_that_ends_closes_its_tab(tmp_path):
    async with opened(tmp_path) as socket:
        os.kill(process_in(await drawn(socket, b"hello")), signal.SIGKILL)
        assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE


async def test_a_process_that_does_not_end_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(tab, "GRACE", 0.05)
    monkeypatch.setattr(tab, "LAST_GRACE", 0.05)
    async with opened(tmp_path, STUBBORN) as socket:
        pid = process_in(await drawn(socket, b"hello"))
    assert not alive(pid)


async def test_a_process_that_cannot_start_says_why_in_its_tab(tmp_path):
    program = "import sys; sys.exit('selfheal: not today \\x1b]0;x\\x07')"
    async with opened(tmp_path, program) as socket:
        seen = await drawn(socket, b"selfheal: not today")
        assert b"\x1b]" not in seen


async def test_a_tab_that_does_not_listen_keeps_nothing_from_ending(tmp_path):
    async with served(tmp_path, FLOODS) as url, browser(url) as client:
        socket = await tab_of(client, url)
        pid = process_in(await drawn(socket, b"hello"))
        # Nothing is read any more, and the connection breaks without a word.
        socket._response.connection.transport.abort()
        await gone(pid)


# --- the whole command -----------------------------------------------------------------------


def start(place, arguments, environment):
    # By its file, as a console script: `-m` would find the package of a hostile repository.
    return subprocess.Popen(
        [sys.executable, ROOT / "selfheal_tui" / "__main__.py", "web", *arguments],
        cwd=place.repository,
        env=place._environment() | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@asynccontextmanager
async def command(place, *arguments, **environment):
    """`selfheal web` as a process, and the URL that it printed."""
    process = start(place, arguments, environment)
    try:
        url = await asyncio.to_thread(process.stdout.readline)
        assert url.startswith("http://127.0.0.1:"), process.communicate()
        yield process, url.strip()
    finally:
        process.kill()
        process.communicate()


@asynccontextmanager
async def at_work(place, *arguments, **environment):
    """The server's process, its URL, a tab with the interface in it, and the tab's process."""
    async with (
        command(place, *arguments, **environment) as (process, url),
        browser(url) as client,
        tab_of(client, url) as socket,
    ):
        await drawn(socket, b"what should be")
        (child,) = children(process.pid)
        yield process, url, socket, child


async def closed(socket):
    """Read on until the server closes the tab."""

    async def read():
        while (await socket.receive()).type is aiohttp.WSMsgType.BINARY:
            pass

    await asyncio.wait_for(read(), 60)


@pytest.fixture
def place(tmp_path):
    return Workplace(tmp_path, FILES)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_the_interface_comes_and_a_signal_ends_it_with_every_process(place, number):
    async with at_work(place) as (process, url, socket, child):
        process.send_signal(number)
        await closed(socket)
        assert await asyncio.to_thread(process.wait, 30) == 128 + number
        assert not alive(child)
        said = process.stderr.read()
        assert "Traceback" not in said
        assert url.partition("=")[2] not in said
        assert process.stdout.read() == ""


async def test_the_interface_is_left_by_its_own_key_and_the_server_stays(place):
    async with at_work(place) as (process, _, socket, child):
        await socket.send_json(["stdin", "\x11"])
        await closed(socket)
        await gone(child)
        assert process.poll() is None


async def test_a_killed_server_leaves_no_process(place):
    async with at_work(place) as (process, _, _, child):
        process.kill()
        await gone(child)


async def test_the_token_is_in_no_argument_and_no_environment(place):
    async with at_work(place) as (process, url, _, child):
        token = url.partition("=")[2].encode()
        for pid in (process.pid, child):
            assert token not in (PROC / f"{pid}/cmdline").read_bytes()
            assert token not in (PROC / f"{pid}/environ").read_bytes()


async def test_nothing_of_the_repository_is_imported(place):
    owned = place.folder / "owned"
    for name in ("selfheal_tui/__init__", "rich", "textual", "aiohttp", "textual_serve"):
        place.write(f"{name}.py", f"open({str(owned)!r}, 'w')\n")
    path = os.pathsep.join([str(ROOT), "", "relative", str(place.repository / "x")])
    async with at_work(place, PYTHONPATH=path) as (_, _, _, child):
        argv = (PROC / f"{child}/cmdline").read_bytes().decode().split("\0")
        assert Path(argv[0]).is_absolute()
        assert argv[-3:] == ["-C", str(place.repository.resolve()), ""]
        assert b"relative" not in (PROC / f"{child}/environ").read_bytes()
        assert str(place.repository / "x").encode() not in (PROC / f"{child}/environ").read_bytes()
    assert not owned.exists()


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["do it"], 2, "takes no task"),
        (["--yes"], 2, "--yes and --headless show nothing"),
        (["--headless"], 2, "--yes and --headless show nothing"),
        (["--output", "json"], 2, "--output and --output-dir go with --yes"),
        (["--host", "0.0.0.0"], 2, "unrecognized arguments: --host"),
        (["--port", "-1"], 2, "must be at least 0"),
        (["--port", "70000"], 2, "--port 70000"),
        (["-C", "missing"], 2, "not a folder"),
        (["-C", "/"], 6, "not inside a git repository"),
    ],
    ids=str,
)
def test_what_cannot_be_served_is_a_sentence(place, arguments, code, sentence):
    ended = place.run("web", *arguments)
    assert (ended.exit_code, ended.out) == (code, "")
    assert sentence in ended.err
    assert "Traceback" not in ended.err


def test_a_port_that_is_taken_is_a_sentence(place):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = place.run("web", "--port", str(port))
    assert (ended.exit_code, ended.out) == (2, "")
    assert f"--port {port}: " in ended.err


def test_without_textual_serve_it_says_what_to_install(place, monkeypatch, capsys):
    monkeypatch.chdir(place.repository)
    monkeypatch.setitem(sys.modules, "textual_serve", None)
    assert main(["web"]) == 2
    assert "pip install textual-serve" in capsys.readouterr().err


# --- processes -------------------------------------------------------------------------------


def process_in(drawn):
    return int(re.search(rb"hello from (\d+)", drawn)[1])


def children(pid):
    return [int(child) for child in (PROC / f"{pid}/task/{pid}/children").read_text().split()]


def alive(pid):
    try:
        return ") Z " not in (PROC / f"{pid}/stat").read_text()
    except FileNotFoundError:
        return False


async def gone(pid):
    """Wait until a process has ended."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        ended, _, _ = await asyncio.to_thread(select.select, [process], [], [], 30)
        assert ended, "the process is still there"
    finally:
        os.close(process)
