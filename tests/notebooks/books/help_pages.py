"""`?`, `??`, %pinfo and what clients ask for: completion, inspection, completeness."""


# %%
def area(width: float, height: float = 1.0) -> float:
    """The area of a rectangle.

    Not of a circle.
    """
    return width * height


# %%
# area?

# %%
# area??

# %%
# ?area

# %%
# len?

# %%
# no_such_name?

# %%
# str.jo*?

# %%
# %pinfo area

# %%
# %pdoc area

# %%
# %pdef area

# %%
# %pfile no_such_name

# %%
help(area)

# %%
# %time?

# %% {"ask": [["inspect_request", {"code": "area(", "cursor_pos": 5, "detail_level": 0}], ["inspect_request", {"code": "area", "cursor_pos": 2, "detail_level": 1}], ["inspect_request", {"code": "nothing_here", "cursor_pos": 5, "detail_level": 0}]]}
words = ["a", "b"]

# %% {"ask": [["complete_request", {"code": "words.ap", "cursor_pos": 8}], ["complete_request", {"code": "are", "cursor_pos": 3}], ["complete_request", {"code": "%tim", "cursor_pos": 4}], ["complete_request", {"code": "area(wid", "cursor_pos": 8}], ["complete_request", {"code": "import jso", "cursor_pos": 10}], ["complete_request", {"code": "zzzz_nothing", "cursor_pos": 12}]]}
table = {"first": 1, "second": 2}

# %% {"ask": [["complete_request", {"code": "table['", "cursor_pos": 7}], ["complete_request", {"code": "x = words\nx.ap", "cursor_pos": 14}]]}
x = words

# %% {"ask": [["is_complete_request", {"code": "for n in range(3):"}], ["is_complete_request", {"code": "1 +"}], ["is_complete_request", {"code": "1 + 1"}], ["is_complete_request", {"code": "x = ]"}], ["is_complete_request", {"code": "def f():\n    return 1\n"}], ["is_complete_request", {"code": "'''open"}], ["is_complete_request", {"code": "%time x"}], ["is_complete_request", {"code": "if x:\n    y\n\n"}], ["is_complete_request", {"code": ""}]]}
class Box:
    """A box."""

    size = 3


# %%
# Box?

# %%
# Box.size?

# %%
# box = Box()
# box?

# %%
# import math
# math?

# %%
# %psearch w*s

# %%
# %lsmagic_is_long?
