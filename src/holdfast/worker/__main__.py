"""`python -P -m holdfast.worker START`: the template. Only a supervisor starts it."""

from __future__ import annotations

import os
import sys

import msgspec

from holdfast.link.messages import Start
from holdfast.worker.life import live
from holdfast.worker.template import Template, prepare


def main() -> None:
    """Be the template until the supervisor is gone; in its forks, be a worker."""
    start = prepare(msgspec.json.decode(sys.argv[1], type=Start))
    template = Template(start)
    worker_link = template.serve()
    if worker_link is None:
        os._exit(0)
    start.life = template.life
    sys.argv = [""]
    live(start, worker_link)


main()
