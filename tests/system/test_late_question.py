"""A question that is asked before the asked client's stdin is connected comes when it is."""

from __future__ import annotations

import zmq

from kit.kernel import Kernel, only_holdfast
from kit.wire import Client, url

pytestmark = only_holdfast


def test_a_question_waits_for_a_client_whose_stdin_connects_late(kernel: Kernel) -> None:
    witness = kernel.client()
    client = Client(kernel.info)
    kernel.clients.append(client)
    client._poller.unregister(client.sockets["stdin"])
    client.sockets["stdin"].disable_monitor()
    client.sockets["stdin"].close()
    running = client.start(
        "import threading\nthreading.Timer(0.3, lambda: print('asked', flush=True)).start()\ninput('name? ')",
        allow_stdin=True,
    )
    client.text(running, "asked")
    witness.settle()
    stdin = client._context.socket(zmq.DEALER)
    stdin.identity = client.session.bsession
    stdin.connect(url(kernel.info, "stdin"))
    client.sockets["stdin"] = stdin
    client._poller.register(stdin, zmq.POLLIN)
    client.prompt()
    client.answer("Ada")
    assert client.finish(running).result == "'Ada'"
