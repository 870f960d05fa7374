"""How a number of bytes reads. Pure, and light: `holdfast ls` pays for each import."""

from __future__ import annotations


def short(count: int) -> str:
    """Bytes as `90 MB`, `1.2 GB`: decimal units, as disks and `ls --si` have them."""
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 999.5:
            return f"{amount:.0f} {unit}" if amount >= 10 or unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"
