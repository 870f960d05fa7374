"""display() and IPython's display objects."""

# %%
from IPython.display import (
    HTML, JSON, SVG, Audio, Code, FileLink, IFrame, Image, Javascript, Latex, Markdown, Math, Pretty,
    ProgressBar, Video, YouTubeVideo, display, display_html, display_markdown,
)

HTML("<b>bold</b>")

# %%
display(Markdown("# title"), Latex("$x$"), Math("x^2"))
"then a result"

# %%
display(1, "two", [3])

# %%
SVG("<svg xmlns='http://www.w3.org/2000/svg' width='4' height='4'/>")

# %%
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63606060000000040001"
    "f61738550000000049454e44ae426082"
)
Image(PIXEL, format="png")

# %%
Image(PIXEL, width=10, height=20, metadata={"note": "x"}), Image(url="http://127.0.0.1/x.png")

# %%
JSON({"a": [1, {"b": None}]}, expanded=True)

# %%
Javascript("1 + 1")

# %%
display({"text/plain": "plain", "text/html": "<i>html</i>"}, raw=True)

# %%
display({"text/plain": "with metadata"}, raw=True, metadata={"text/plain": {"k": 1}})

# %%
display(HTML("<p>x</p>"), include=["text/plain"])

# %%
print("text")
display("display")
print("text again")

# %%
Code("def f(): pass", language="python")

# %%
IFrame("http://127.0.0.1/", 100, 50), YouTubeVideo("abc")

# %%
FileLink("nothing.txt")

# %%
display_html("<u>u</u>", raw=True)
display_markdown("*m*", raw=True)

# %%
Audio(data=[0, 1, 0, -1], rate=8000, normalize=False)

# %%
import json

display({"application/json": json.loads('{"k": [1, 2]}'), "application/vnd.own+json": {"z": 1}}, raw=True)

# %%
Pretty("pretty"), ProgressBar(4)

# %%
display()
display(None)

# %% {"apart": {"execute_reply.ename": "ipykernel says NoneType", "execute_reply.evalue": "and None"}}
Image("no-such-file.png")
