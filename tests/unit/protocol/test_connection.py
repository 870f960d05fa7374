import json
import os
import stat
import tempfile
import threading
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzz.holds.connection import CURVE, GOOD, a_file
from holdfast.errors import ConnectionFileError
from holdfast.protocol import connection
from holdfast.protocol.connection import ConnectionInfo

PORTS = {"shell_port": 1, "iopub_port": 2, "stdin_port": 3, "control_port": 4, "hb_port": 5}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "kernel-1.json"


def saved(path, content):
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


def test_a_file_as_jupyter_writes_it_is_read(path):
    info = connection.read(
        saved(path, {**GOOD, **CURVE, "kernel_name": "python3", "jupyter_session": "a.ipynb"})
    )
    assert (info.transport, info.ip, info.key, info.kernel_name) == ("tcp", "127.0.0.1", "secret", "python3")
    assert [info.port(channel) for channel in connection.CHANNELS] == [1, 2, 3, 4, 5]
    assert (info.curve_publickey, info.jupyter_session) == ("a" * 40, "a.ipynb")


def test_a_file_of_jupyter_client_is_read(path):
    from jupyter_client.connect import write_connection_file

    written, theirs = write_connection_file(str(path), key=b"k", kernel_name="python3")
    info = connection.read(Path(written))
    for channel in connection.CHANNELS:
        assert info.url(channel) == f"tcp://{theirs['ip']}:{theirs[channel + '_port']}"


@pytest.mark.parametrize(
    ("transport", "ip", "url"),
    [
        ("tcp", "127.0.0.1", "tcp://127.0.0.1:1"),
        ("tcp", "localhost", "tcp://localhost:1"),
        ("tcp", "::1", "tcp://[::1]:1"),
        ("tcp", "[::1]", "tcp://[::1]:1"),
        ("ipc", "/run/x/door", "ipc:///run/x/door-1"),
    ],
)
def test_endpoints_are_spelt_as_zeromq_takes_them(transport, ip, url):
    assert ConnectionInfo(transport=transport, ip=ip, **PORTS).url("shell") == url


WRONG = [
    ({"key": ""}, "no key"),
    ({"key": None}, "key"),
    ({"shell_port": -1}, "shell_port"),
    ({"hb_port": 65536}, "hb_port"),
    ({"iopub_port": "2"}, "iopub_port"),
    ({"iopub_port": True}, "iopub_port"),
    ({"stdin_port": 2.5}, "stdin_port"),
    ({"transport": "udp"}, "transport"),
    ({"ip": ""}, "ip"),
    ({"ip": "127.0.0.1\n"}, "ip"),
    ({"ip": None}, "ip"),
    ({"signature_scheme": "hmac-rot13"}, "rot13"),
    ({"signature_scheme": ""}, "signature_scheme"),
    ({"curve_publickey": "a" * 40}, "one Curve key"),
    ({"curve_secretkey": "a" * 40}, "one Curve key"),
    ({**CURVE, "curve_secretkey": "a" * 39}, "Z85"),
    ({**CURVE, "curve_secretkey": "a" * 41}, "Z85"),
    ({**CURVE, "curve_publickey": "a" * 39 + "\\"}, "Z85"),
]


@pytest.mark.parametrize(("change", "said"), WRONG, ids=[f"{change}"[:50] for change, _ in WRONG])
def test_a_wrong_field_is_refused_and_the_file_named(path, change, said):
    with pytest.raises(ConnectionFileError, match=said) as refusal:
        connection.read(saved(path, {**GOOD, **change}))
    assert str(path) in refusal.value.what
    assert refusal.value.remedy


def test_a_file_without_key_is_refused(path):
    with pytest.raises(ConnectionFileError, match="no key"):
        connection.read(saved(path, {name: value for name, value in GOOD.items() if name != "key"}))


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b"\xff", b'{"a":' + b"[" * 100_000, b" " * 300_000]
)
def test_a_file_that_is_no_object_of_json_is_refused(path, content):
    with pytest.raises(ConnectionFileError):
        connection.read(saved(path, content))


def test_a_file_far_too_long_for_a_connection_is_refused(path):
    connection.read(saved(path, json.dumps(GOOD).encode() + b" " * 100_000))
    with pytest.raises(ConnectionFileError, match="too long"):
        connection.read(saved(path, json.dumps(GOOD).encode() + b" " * 300_000))


def test_what_is_no_readable_file_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    closed = saved(tmp_path / "closed", GOOD)
    closed.chmod(0)
    hopeless = ["missing", "missing/too", "closed/not a folder", "pipe", "nul\0", "n" * 300, "."]
    for name in [*hopeless, *(["closed"] if os.geteuid() else [])]:
        with pytest.raises(ConnectionFileError) as refusal:
            connection.read(tmp_path / name)
        assert refusal.value.remedy


texts = st.text(st.characters(exclude_categories=["Cs"]))
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
near_misses = st.dictionaries(st.sampled_from([*GOOD, *CURVE, "kernel_name", "x"]), any_json).map(
    lambda change: json.dumps({**GOOD, **change}).encode()
)


@given(st.binary() | near_misses)
def test_any_bytes_are_a_usable_connection_or_refused(content):
    a_file(content)


@given(
    st.dictionaries(texts, texts | st.integers() | st.lists(st.booleans())),
    st.fixed_dictionaries({name: st.integers(0, 65535) for name in PORTS}),
)
def test_chosen_ports_are_written_back_and_everything_else_is_kept(others, ports):
    with tempfile.TemporaryDirectory() as folder:
        before = {**others, **GOOD, **dict.fromkeys(PORTS, 0), **CURVE}
        path = saved(Path(folder) / "file", json.dumps(before).encode())
        info = connection.read(path)
        connection.write(path, msgspec.structs.replace(info, **ports))
        assert json.loads(path.read_bytes()) == {"kernel_name": "", **before, **ports}
        assert connection.read(path) == msgspec.structs.replace(info, **ports)


def test_a_written_file_is_private_and_nothing_is_left_beside_it(path):
    before = os.umask(0)
    try:
        connection.write(path, ConnectionInfo(key="k"))
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_an_open_file_becomes_private_when_it_is_rewritten(path):
    saved(path, GOOD).chmod(0o644)
    connection.write(path, connection.read(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_reader_sees_the_old_file_or_the_new_one_and_never_half_of_one(path):
    infos = [ConnectionInfo(key=letter * 60_000) for letter in "ab"]
    connection.write(path, infos[0])
    done = threading.Event()

    def rewrite():
        for number in range(100):
            connection.write(path, infos[number % 2])
        done.set()

    writer = threading.Thread(target=rewrite)
    writer.start()
    seen = [connection.read(path)]
    while not done.is_set():
        seen.append(connection.read(path))
    writer.join()
    assert all(info in infos for info in seen)


def test_a_link_is_replaced_and_what_it_points_to_stays(tmp_path, path):
    target = saved(tmp_path / "precious", b"precious")
    path.symlink_to(target)
    connection.write(path, ConnectionInfo(key="k"))
    assert target.read_bytes() == b"precious"
    assert not path.is_symlink()


def test_a_useless_file_is_replaced(path):
    connection.write(saved(path, b"half a fi"), ConnectionInfo(key="k"))
    assert connection.read(path).key == "k"


def test_a_failed_write_says_so_and_leaves_the_old_file(tmp_path):
    for name in ("missing/file", "nul\0", "n" * 300):
        with pytest.raises(ConnectionFileError, match="can't write") as refusal:
            connection.write(tmp_path / name, ConnectionInfo(key="k"))
        assert refusal.value.remedy
    (tmp_path / "folder").mkdir()
    with pytest.raises(ConnectionFileError):
        connection.write(tmp_path / "folder", ConnectionInfo(key="k"))
    assert [each.name for each in tmp_path.iterdir()] == ["folder"]


def test_a_connection_of_our_own_is_five_sockets_and_a_new_key(path):
    first, second = connection.new_ipc(Path("/run/x/door")), connection.new_ipc(Path("/run/x/door"))
    assert {first.url(channel) for channel in connection.CHANNELS} == {
        f"ipc:///run/x/door-{n}" for n in range(1, 6)
    }
    assert first.key != second.key
    assert len(bytes.fromhex(first.key)) == 32
    connection.write(path, first)
    assert connection.read(path) == first


def test_keys_are_not_shown():
    info = ConnectionInfo(key="hush", curve_publickey="a" * 40, curve_secretkey="b" * 40)
    assert "hush" not in repr(info)
    assert "b" * 40 not in f"{info}"
