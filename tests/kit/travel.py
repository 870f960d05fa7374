"""Going to another state of a session, as a user does it, and what is said then."""

from __future__ import annotations

from kit.wire import Cell, Client


def back(client: Client, line: str = "%undo") -> Cell:
    """Run a cell that goes to another state, and wait until the session is there."""
    cell = client.do(line)
    client.text(cell.msg_id, "holdfast: back after")
    return cell


def told(client: Client, cell: Cell) -> str:
    """All that was said on stderr below a cell, also after its end."""
    contents = [each["content"] for each in client.of_parent[cell.msg_id]]
    return "".join(each["text"] for each in contents if each.get("name") == "stderr")
