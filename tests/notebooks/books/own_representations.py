"""Classes that say how they are shown, and formatters for those that do not."""


# %%
class Money:
    def __init__(self, amount):
        self.amount = amount

    def __repr__(self):
        return f"Money({self.amount})"

    def _repr_html_(self):
        return f"<b>{self.amount} kr</b>"

    def _repr_markdown_(self):
        return f"**{self.amount} kr**", {"isolated": True}


Money(5)

# %%
[Money(1), Money(2)]


# %%
class Bundle:
    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/plain": "bundle", "application/x-own": "data"}, {"application/x-own": {"k": 1}}


Bundle()


# %%
class Loud:
    def _ipython_display_(self):
        print("I show myself")


Loud()


# %% {"apart": {"execute_reply.ename": "ipykernel says NoneType", "execute_reply.evalue": "and None"}}
class Broken:
    def __repr__(self):
        raise RuntimeError("no words")


Broken()


# %% {"apart": {"execute_reply.ename": "ipykernel says NoneType", "execute_reply.evalue": "and None"}}
class BrokenHTML:
    def __repr__(self):
        return "plain is fine"

    def _repr_html_(self):
        raise KeyError("html")


BrokenHTML()

# %%
display(Broken())
print("after")


# %%
class Plain:
    pass


formatter = get_ipython().display_formatter.formatters["text/html"]
formatter.for_type(Plain, lambda p: "<i>plain</i>")
Plain.__repr__ = lambda self: "Plain"
Plain()

# %%
formatter.pop(Plain)
Plain()

# %%
get_ipython().display_formatter.formatters["text/plain"].for_type(int, lambda n, p, cycle: p.text(f"int {n}"))
7

# %%
get_ipython().display_formatter.formatters["text/plain"].pop(int)
7


# %%
class Pretty:
    def _repr_pretty_(self, p, cycle):
        with p.group(4, "Pretty(", ")"):
            for n in range(30):
                p.text(f"{n},")
                p.breakable()


Pretty()


# %%
class Odd:
    def _repr_html_(self):
        return 42

    def _repr_png_(self):
        return b"\x89PNG"

    def __repr__(self):
        return "Odd"


Odd()

# %%
Money

# %%
{"nested": {"deep": [Plain()] * 3}, "set": {1}, "none": None, "text": "line\nbreak"}

# %%
recursive = [1]
recursive.append(recursive)
recursive

# %%
"a string with 'quotes' and ünïcödé ☃"

# %%
b"bytes", bytearray(b"x"), range(3), ..., NotImplemented, 1 + 2j, frozenset({1})

# %%
list(range(1200))

# %%
"x" * 3000
