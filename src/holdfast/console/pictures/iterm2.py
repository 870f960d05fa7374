"""iTerm2's inline images (iterm2.com/documentation-images.html): any image file as it is. Pure."""

from __future__ import annotations

import base64

from holdfast.console.pictures.picture import Size


def drawing(data: bytes, size: Size) -> str:
    """What draws the image file `data` over `size` columns and rows."""
    place = f"width={size.width};height={size.height};preserveAspectRatio=0"
    encoded = base64.b64encode(data).decode()
    return f"\x1b]1337;File=inline=1;size={len(data)};{place}:{encoded}\x07"
