"""A question that is asked before the asked client's stdin is connected comes when it is."""

from __future__ import annotations

import zmq

from kit.kernel import Kernel, only_holdfast
from kit.wire import Client, url

pytestmark = only_holdfast


ASK = "import threading\nthreading.Timer(0.3, lambda: print('asked', flush=True)).start()\ninput('name? ')"


def without_stdin(kernel: Kernel) -> Client:
    client = Client(kernel.info)
    kernel.clients.append(client)
    client._poller.unregister(client.sockets["stdin"])
    client.sockets["stdin"].disable_monitor()
    client.sockets["stdin"].close()
    return client


def connect_stdin(kernel: Kernel, client: Client) -> None:
    stdin = client._context.socket(zmq.DEALER)
    stdin.identity = client.session.bsession
    stdin.connect(url(kernel.info, "stdin"))
    client.sockets["stdin"] = stdin
    client._poller.register(stdin, zmq.POLLIN)


def test_a_question_waits_for_a_client_whose_stdin_connects_late(kernel: Kernel) -> None:
    witness = kernel.client()
    client = without_stdin(kernel)
    running = client.start(ASK, allow_stdin=True)
    client.text(running, "asked")
    witness.settle()
    connect_stdin(kernel, client)
    client.prompt()
    client.answer("Ada")
    assert client.finish(running).result == "'Ada'"


def test_a_question_of_a_cell_that_has_ended_is_not_asked_any_more(kernel: Kernel) -> None:
    witness = kernel.client()
    client = without_stdin(kernel)
    running = client.start(ASK, allow_stdin=True)
    client.text(running, "asked")
    witness.send("interrupt_request", {}, "control")
    assert client.finish(running).status == "error"
    connect_stdin(kernel, client)
    client.run("input('again? ')", answers=["yes"])
    assert [each["content"]["prompt"] for each in client.prompts] == ["again? "]
