"""Data classes, enums, protocols, generics."""

# %%
from dataclasses import dataclass, field, replace
from enum import Enum, Flag, auto
from functools import cache, singledispatch
from typing import NamedTuple, Protocol


@dataclass(order=True)
class Version:
    major: int
    minor: int = 0
    tags: list[str] = field(default_factory=list, repr=False)


Version(1), Version(1, 2) < Version(2)

# %%
replace(Version(1), minor=9)

# %%
Version()

# %%
@dataclass(frozen=True)
class Point:
    x: float
    y: float


p = Point(1, 2)
p.x = 3


# %%
class Colour(Enum):
    RED = auto()
    GREEN = auto()


Colour.RED, list(Colour), Colour["GREEN"]

# %%
Colour("blue")


# %%
class Rights(Flag):
    READ = 1
    WRITE = 2


Rights.READ | Rights.WRITE


# %%
class Pair(NamedTuple):
    left: int
    right: int = 0


Pair(1), Pair(1)._asdict()

# %%
@singledispatch
def describe(value):
    return "something"


@describe.register
def _(value: int):
    return "a number"


describe(1), describe("x"), describe


# %%
@cache
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


fib(80), fib.cache_info()

# %%
match p:
    case Point(x=1, y=y):
        print("y is", y)


# %%
class Speaks(Protocol):
    def speak(self) -> str: ...


Speaks()

# %%
Version.__doc__, Version.__annotations__

# %%
(n * n for n in range(3)), map(str, []), zip(), iter([])

# %%
type("Made", (), {"__repr__": lambda self: "made by hand"})()

# %%
Version, Colour, Pair, describe.registry.keys()
