"""Text on its way from the ring to the clients: nothing stays behind."""

from __future__ import annotations

from mmap import mmap

from holdfast.link.ring import RingReader, RingWriter
from holdfast.settings import Output as OutputSettings
from holdfast.supervisor.clients.output import Output
from holdfast.supervisor.loop import Loop

GIVE_UP_SECONDS = 2.0


class Text:
    """An output whose worker is the test."""

    def __init__(self) -> None:
        memory = mmap(-1, 4096)
        self.published: list[str] = []
        self.loop = Loop()
        self.worker = RingWriter(memory)
        self.output = Output(self.loop, RingReader(memory), -1, {}, OutputSettings(), self._publish)

    def wait(self) -> None:
        """Until something is published, or too long."""
        self.loop.later(GIVE_UP_SECONDS, self.loop.stop)
        self.loop.run()

    def _publish(self, _parent: int, _stream: str, text: str) -> None:
        self.published.append(text)
        self.loop.stop()


def test_a_line_whose_end_comes_a_little_later_is_one_message() -> None:
    text = Text()
    text.output.listen_with(lambda: None)
    text.worker.put(b"snow")
    text.output.look()
    text.loop.later(0.002, lambda: text.worker.put(b"man\n"))
    text.wait()
    assert text.published == ["snowman\n"]


def test_a_line_that_has_no_end_does_not_wait_for_it() -> None:
    text = Text()
    text.output.listen_with(lambda: None)
    text.worker.put(b"name: ")
    text.output.look()
    text.wait()
    assert text.published == ["name: "]


def test_text_that_is_written_while_messages_are_heard_does_not_wait_for_the_next_bell() -> None:
    """The bell for it was among the messages: the writer will ring no other before the text is read."""

    said = [b"late"]

    def listen() -> None:
        while said:
            text.worker.put(said.pop())
            assert text.worker.bell_wanted()

    text = Text()
    text.output.listen_with(listen)
    text.wait()
    assert text.published == ["late"]
