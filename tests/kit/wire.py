"""A raw, synchronous Jupyter client: five sockets, one poller, and nothing of the product.

Whatever comes in is filed under the message that it answers; every wait has a deadline and names, when it is
over, what was awaited and what came instead. The signatures of all messages are checked by jupyter_client's
Session, which refuses a signature that it has seen before.
"""

from __future__ import annotations

import ast
import contextlib
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zmq
from jupyter_client.session import Session

from kit.deadline import Deadline

Message = dict[str, Any]

WITHIN = 15.0
"""Seconds that any wait may take unless a test says less: a slow machine is not a failure."""


class Silence(AssertionError):
    """Something that had to come did not come before the deadline."""


@dataclass(frozen=True)
class Cell:
    """A cell that ran: what was sent and all that came back."""

    code: str
    msg_id: str
    reply_message: Message
    messages: list[Message]
    """Everything published with the cell as its parent, from busy to idle, in order."""
    seconds: float
    """From sending to the later of reply and idle."""

    @property
    def reply(self) -> Message:
        return self.reply_message["content"]

    @property
    def status(self) -> str:
        return self.reply["status"]

    @property
    def kinds(self) -> list[str]:
        return [message["msg_type"] for message in self.messages]

    def of(self, kind: str) -> list[Message]:
        """Contents of the published messages of one type."""
        return [message["content"] for message in self.messages if message["msg_type"] == kind]

    def text(self, name: str = "stdout") -> str:
        """All that was printed on one stream."""
        return "".join(content["text"] for content in self.of("stream") if content["name"] == name)

    @property
    def result(self) -> str | None:
        """text/plain of the cell's value."""
        results = self.of("execute_result")
        return results[0]["data"]["text/plain"] if results else None

    @property
    def error(self) -> Message:
        """Content of the one error that was published."""
        (error,) = self.of("error")
        return error

    @property
    def notice(self) -> str:
        """All that its last error says to its reader."""
        error = self.of("error")[-1]
        return "\n".join([error["ename"], error["evalue"], *error["traceback"]])


class Client:
    """One frontend. Close it, or let its kernel do so."""

    def __init__(self, info: Message, username: str = "tester") -> None:
        self.info = info
        self.session = Session(
            key=info["key"].encode(), signature_scheme=info["signature_scheme"], username=username
        )
        self.sent: set[str] = set()  # msg_id of every request made by `send`
        self.published: list[Message] = []  # iopub, in order of arrival
        self.of_parent: dict[str, list[Message]] = defaultdict(list)  # the same by parent msg_id
        self.replies: dict[str, Message] = {}  # shell and control, by parent msg_id
        self.prompts: list[Message] = []  # input_request
        self._prompts_told = 0  # so many of them `prompt` has told of, or were answered
        self._arrived: dict[str, float] = {}  # when the last reply or idle of a parent came
        self._idle: set[str] = set()  # parents whose idle came
        self._context = zmq.Context()
        self._poller = zmq.Poller()
        self.sockets = {
            "shell": self._connect("shell", zmq.DEALER),
            "control": self._connect("control", zmq.DEALER),
            "stdin": self._connect("stdin", zmq.DEALER),
            "iopub": self._connect("iopub", zmq.SUB),
        }

    def wait_for_welcome(self, within: float = WITHIN) -> None:
        """Until its subscription has arrived: what is published before that, it does not hear."""
        self.until(lambda: self.published, "iopub_welcome", within)

    def wait_for_stdin(self, within: float = WITHIN) -> None:
        """Until stdin is connected: a prompt for an unknown client is lost, and each socket connects alone.

        Against a kernel that just starts, libzmq tries again every 100 ms (ZMQ_RECONNECT_IVL).
        """
        if not self._events.poll(Deadline(within).left_ms()):
            raise Silence(f"stdin is not connected within {within:g} s")

    def close(self) -> None:
        """Leave; may be called twice."""
        self._context.destroy(linger=0)

    # --- sending

    def send(self, msg_type: str, content: Message | None = None, channel: str = "shell", **more: Any) -> str:
        """Send a request and return its msg_id. `more`: metadata, buffers, header fields by `header`."""
        message = self.session.msg(msg_type, content or {}, metadata=more.get("metadata"))
        message["header"].update(more.get("header", {}))
        frames = self.session.serialize(message)
        self.sockets[channel].send_multipart([*frames, *more.get("buffers", ())])
        self.sent.add(message["header"]["msg_id"])
        return message["header"]["msg_id"]

    def send_frames(self, frames: list[bytes], channel: str = "shell") -> None:
        """Send anything at all."""
        self.sockets[channel].send_multipart(frames)

    def answer(self, value: str) -> None:
        """Reply to the last prompt."""
        prompt, self._prompts_told = self.prompts[-1], len(self.prompts)
        message = self.session.msg("input_reply", {"value": value}, parent=prompt)
        self.sockets["stdin"].send_multipart(self.session.serialize(message))

    def start(self, code: str, **options: Any) -> str:
        """Send a cell and don't wait. `options` are fields of execute_request."""
        content = {
            "code": code,
            "silent": False,
            "store_history": not options.get("silent", False),
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": True,
        }
        metadata = options.pop("metadata", None)
        channel = options.pop("channel", "shell")
        return self.send("execute_request", content | options, channel, metadata=metadata)

    # --- waiting

    def until(self, condition: Callable[[], Any], what: str, within: float = WITHIN) -> None:
        """Take in messages until `condition()` holds. Silence, with `what` was awaited, if it never does."""
        deadline = Deadline(within)
        while not condition():
            if deadline.passed:
                raise Silence(f"no {what} within {within:g} s; what came last:\n{self._last_words()}")
            if self._poller.poll(deadline.left_ms()):
                self._take_in()

    def until_told(self, condition: Callable[[], Any], what: str, within: float = WITHIN) -> None:
        """Ask again and again: `condition` itself asks the kernel, and nothing would come unasked."""
        deadline = Deadline(within)
        while not condition():
            if deadline.passed:
                raise Silence(f"no {what} within {within:g} s")

    def listen(self, seconds: float) -> None:
        """Take in whatever comes in so many seconds: when nothing in particular is awaited."""
        deadline = Deadline(seconds)
        while not deadline.passed:
            self._poller.poll(deadline.left_ms())
            self._take_in()

    def reply(self, msg_id: str, within: float = WITHIN) -> Message:
        """The reply to a request."""
        self.until(lambda: msg_id in self.replies, f"reply to {self._describe(msg_id)}", within)
        return self.replies[msg_id]

    def idle(self, msg_id: str, within: float = WITHIN) -> list[Message]:
        """All that was published for a request, once its idle is here."""
        self.until(lambda: msg_id in self._idle, f"idle of {self._describe(msg_id)}", within)
        return self.of_parent[msg_id]

    def ask(
        self, msg_type: str, content: Message | None = None, channel: str = "shell", within: float = WITHIN
    ) -> Message:
        """A request's reply, content only, once its idle is here too."""
        msg_id = self.send(msg_type, content, channel)
        reply = self.reply(msg_id, within)
        self.idle(msg_id, within)
        return reply["content"]

    def prompt(self, within: float = WITHIN) -> Message:
        """The next prompt: content of an input_request. It may have come while something else was awaited."""
        self.until(lambda: len(self.prompts) > self._prompts_told, "input_request", within)
        self._prompts_told = len(self.prompts)
        return self.prompts[-1]["content"]

    def text(self, msg_id: str, wanted: str, within: float = WITHIN) -> None:
        """Wait until a cell that may still run has printed `wanted` (on either stream)."""

        def printed() -> str:
            texts = (message["content"].get("text", "") for message in self.of_parent[msg_id])
            return "".join(texts)

        self.until(lambda: wanted in printed(), f"text {wanted!r}", within)

    def finish(self, msg_id: str, code: str = "", within: float = WITHIN, since: float | None = None) -> Cell:
        """Wait for reply and idle of a cell that was started; `since` (monotonic) when its clock began."""
        begun = time.monotonic() if since is None else since
        reply = self.reply(msg_id, within)
        messages = self.idle(msg_id, within)
        return Cell(code, msg_id, reply, messages, self._arrived[msg_id] - begun)

    def run(self, code: str, answers: Iterable[str] = (), within: float = WITHIN, **options: Any) -> Cell:
        """Run a cell to its end, typing `answers` at its prompts."""
        answers = list(answers)
        self._prompts_told = len(self.prompts)  # of earlier cells
        begun = time.monotonic()
        msg_id = self.start(code, **{"allow_stdin": bool(answers)} | options)
        for answer in answers:
            self.prompt(within)
            self.answer(answer)
        return self.finish(msg_id, code, within, begun)

    def value(self, code: str, **options: Any) -> Any:
        """The value of an expression that is made of literals. AssertionError if the cell fails."""
        cell = self.run(code, **options)
        assert cell.status == "ok", cell.reply
        assert cell.result is not None, f"{code} has no value"
        return ast.literal_eval(cell.result)

    def do(self, code: str, **options: Any) -> Cell:
        """Run a cell that must succeed."""
        cell = self.run(code, **options)
        assert cell.status == "ok", "\n".join(cell.reply.get("traceback", [])) or cell.reply
        return cell

    def until_busy(self, msg_id: str, within: float = WITHIN) -> None:
        """Wait until a cell has begun."""
        self.until(lambda: self.of_parent[msg_id], f"busy of {self._describe(msg_id)}", within)

    def wait_until_sent(self) -> None:
        """Until all that was sent is with the system, or has no room there: libzmq's threads rest then."""
        self.until_told(_threads_rest, "rest of libzmq's threads")

    def settle(self) -> None:
        """Take in all that was sent before now: a request there and back is behind everything older."""
        self.ask("kernel_info_request")

    # --- taking in

    def _take_in(self) -> None:
        for socket, _ in self._poller.poll(0):
            while True:
                try:
                    frames = socket.recv_multipart(zmq.NOBLOCK)
                except zmq.Again:
                    break
                self._file(socket, frames)

    def _file(self, socket: zmq.Socket[bytes], frames: list[bytes]) -> None:
        _, parts = self.session.feed_identities(frames)
        message = self.session.deserialize(parts)
        parent = message["parent_header"].get("msg_id", "")
        if socket is self.sockets["iopub"]:
            self.published.append(message)
            self.of_parent[parent].append(message)
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                self._idle.add(parent)
                self._arrived[parent] = time.monotonic()
        elif socket is self.sockets["stdin"]:
            self.prompts.append(message)
        else:
            assert parent not in self.replies, f"a second reply to {parent}: {message}"
            self.replies[parent] = message
            self._arrived[parent] = time.monotonic()

    def _connect(self, channel: str, kind: int) -> zmq.Socket[bytes]:
        socket = self._context.socket(kind)
        socket.set_hwm(0)  # what gets lost must have been lost by the kernel
        socket.linger = 0
        if "curve_serverkey" in self.info:
            for name in ("serverkey", "publickey", "secretkey"):
                setattr(socket, f"curve_{name}", self.info[f"curve_{name}"].encode())
        if kind == zmq.DEALER:
            # stdin is found by the shell's identity
            socket.identity = self.info.get("identity", self.session.bsession)
        else:
            socket.subscribe(b"")
        if channel == "stdin":
            self._events = socket.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED)
        socket.connect(url(self.info, channel))
        self._poller.register(socket, zmq.POLLIN)
        return socket

    def _describe(self, msg_id: str) -> str:
        return f"{msg_id} ({len(self.of_parent[msg_id])} messages published for it)"

    def _last_words(self) -> str:
        lines = [f"  iopub {m['msg_type']} {str(m['content'])[:300]}" for m in self.published[-8:]]
        lines += [
            f"  reply {m['msg_type']} {str(m['content'])[:300]}" for m in list(self.replies.values())[-3:]
        ]
        return "\n".join(lines)


def _threads_rest() -> bool:
    """Whether all that libzmq writes with sleep (proc(5), stat, field 3)."""
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):  # one of a client that has left
            _, name, rest = (task / "stat").read_text().replace("(", ")").split(")", 2)
            if name.startswith("ZMQbg/IO") and not rest.startswith(" S"):
                return False
    return True


def url(info: Message, channel: str) -> str:
    """Where a channel of a connection file listens."""
    port = info[f"{channel}_port"]
    return f"ipc://{info['ip']}-{port}" if info["transport"] == "ipc" else f"tcp://{info['ip']}:{port}"


def beat(info: Message, ping: bytes = b"ping", within: float = WITHIN) -> bytes:
    """What the heartbeat answers."""
    with zmq.Context() as context, context.socket(zmq.REQ) as socket:
        socket.linger = 0
        socket.connect(url(info, "hb"))
        socket.send(ping)
        if not socket.poll(int(within * 1000)):
            raise Silence(f"no heartbeat within {within:g} s")
        return socket.recv()
