"""`holdfast kernel install|list|uninstall`: the entry in Jupyter's list of kernels."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, BooleanOptionalAction, Namespace
from pathlib import Path

from holdfast.cli import pick, setting, text
from holdfast.cli.usage import tell
from holdfast.client import start
from holdfast.jupyter import kernelspec, target

DEFAULT_NAME = "holdfast"


EXAMPLES = (
    ("holdfast kernel install", 'a kernel "Holdfast": each notebook has a session of its own'),
    ("holdfast kernel install --session work", "one whose notebooks all join `work`"),
)


def arguments(parser: ArgumentParser) -> None:
    """The command's own commands and their options."""
    commands = parser.add_subparsers(dest="action", required=True, metavar="install|list|uninstall")
    install = commands.add_parser("install", help="let Jupyter start Holdfast", allow_abbrev=False)
    place = install.add_mutually_exclusive_group()
    place.add_argument("--user", action="store_true", help="for this user (default)")
    place.add_argument("--sys-prefix", action="store_true", help="for this Python environment")
    place.add_argument("--prefix", type=Path, metavar="DIR", help="below DIR/share/jupyter")
    install.add_argument(
        "--session", metavar="NAME", type=pick.session, help="always this session, instead of one a notebook"
    )
    install.add_argument("--name", help="name of the kernel")
    install.add_argument("--display-name", help="what Jupyter shows")
    install.add_argument(
        "--python", metavar="PATH", default=sys.executable, help="Python that runs the cells"
    )
    install.add_argument(
        "--provisioner",
        action=BooleanOptionalAction,
        help="let sessions outlive the Jupyter server, which must have holdfast too (default: if possible)",
    )
    setting.add_to(install)
    listing = commands.add_parser("list", help="list what is installed", allow_abbrev=False)
    listing.add_argument("--json", action="store_true", help="as a list of objects")
    uninstall = commands.add_parser("uninstall", help="remove it from Jupyter", allow_abbrev=False)
    uninstall.add_argument(
        "name", nargs="?", type=kernel, default=DEFAULT_NAME, help="name of the kernel (%(default)s)"
    )


def kernel(word: str) -> str:
    """An argument that names a kernel of ours: what completion offers for it."""
    return word


def run(options: Namespace) -> int:
    """Do it."""
    return {"install": _install, "list": _list, "uninstall": _uninstall}[options.action](options)


def _install(options: Namespace) -> int:
    name = options.name or (f"{DEFAULT_NAME}-{options.session.lower()}" if options.session else DEFAULT_NAME)
    found = target.probe(options.python)
    provisioner = found.provisioner if options.provisioner is None else options.provisioner
    folder = kernelspec.install(
        user=options.user,
        sys_prefix=options.sys_prefix,
        prefix=options.prefix,
        name=name,
        display_name=options.display_name,
        session=options.session,
        settings=start.given,
        python=found.python,
        debugger=found.debugger,
        provisioner=provisioner,
    )
    print(f"installed kernel {name} in {text.short_folder(str(folder))}")
    if provisioner:
        tell("its sessions outlive the Jupyter server; that needs holdfast too (else: --no-provisioner)")
    return 0


def _list(options: Namespace) -> int:
    found = kernelspec.installed()
    if options.json:
        kernels = [{"name": name, "folder": str(folder)} for name, folder in sorted(found.items())]
        print(json.dumps(kernels, indent=1))
    elif found:
        print(text.table([(name, text.short_folder(str(folder))) for name, folder in sorted(found.items())]))
    else:
        tell("no kernel of Holdfast is installed. install it: holdfast kernel install")
    return 0


def _uninstall(options: Namespace) -> int:
    kernelspec.remove(options.name)
    print(f"removed kernel {options.name}")
    return 0
