"""Strings, decimals, fractions, dates, iterators: everyday Python."""

# %%
from collections import ChainMap, Counter, OrderedDict, defaultdict, deque
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal, getcontext
from fractions import Fraction

Counter("mississippi")

# %%
defaultdict(list, {"a": [1]}), deque([1, 2], maxlen=3), OrderedDict(a=1), ChainMap({"x": 1})

# %%
Decimal(1) / Decimal(7), Fraction(3, 12)

# %%
Decimal("ten")

# %%
datetime(2024, 2, 29, 12, tzinfo=timezone.utc) + timedelta(days=365)

# %%
date(2023, 2, 29)

# %%
import itertools

list(itertools.combinations("abc", 2)), list(itertools.accumulate([1, 2, 3]))

# %%
import re

re.match(r"(?P<year>\d{4})-(\d\d)", "2024-05"), re.findall(r"\w+", "two words")

# %%
re.compile("(")

# %%
import textwrap

print(textwrap.fill("the quick brown fox jumps over the lazy dog " * 3, 40))

# %%
f"{3.14159:8.3f}|{'left':<8}|{1_000_000:,}|{255:#x}|{0.25:%}"

# %%
"{}".format()

# %%
import random

random.seed(5)
random.sample(range(100), 5), random.gauss(0, 1).__round__(5)

# %%
import statistics

statistics.quantiles([1, 2, 3, 4, 5]), statistics.mean([])

# %%
import this as zen

zen.d["a"]

# %%
2**200, 10**50, -7 // 2, 0.1 + 0.2, float("inf"), float("nan")

# %% {"apart": {"execute_reply.ename": "ipykernel says NoneType", "execute_reply.evalue": "and None"}}
10**5000

# %%
len("naïve ☃ \U0001f600"), "straße".upper(), "a" "b"

# %%
{"b": 1, "a": {"z", "y"}, "c": (1,), "d": {}}

# %%
print(*range(5), sep=", ", end="!\n")
print({"key": [1, 2]}, ("a",), None)

# %%
import pprint

pprint.pprint({"numbers": list(range(30)), "words": ["x" * 20] * 5})
