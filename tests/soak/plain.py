"""Tricks of plain Python: values, aliases, cycles, classes, closures, generators, globals set elsewhere."""

from __future__ import annotations

from soak.author import Hand, Trick


def integer(hand: Hand) -> str:
    return f"{hand.new('int')} = {hand.number()} ** {hand.number(30)}"


def counting(hand: Hand) -> str:
    return f"{hand.some('int')} += {hand.number()}"


def text(hand: Hand) -> str:
    return f"{hand.new('str')} = {chr(97 + hand.number(26))!r} * {hand.number(5000)} + 'é\\U0001f40d'"


def new_list(hand: Hand) -> str:
    return f"{hand.new('list')} = list(range({hand.number(3000)}))"


def append(hand: Hand) -> str:
    return f"{hand.some('list')}.append({hand.number()})"


def alter(hand: Hand) -> str:
    name = hand.some("list")
    return f"{name}[{hand.number(20)}] = {hand.some('int', 'str', 'list', 'dict', 'point')}"


def shorten(hand: Hand) -> str:
    return f"del {hand.some('list')}[{hand.number(40)}:]"


def alias(hand: Hand) -> str:
    other = hand.some("list", "dict", "point", "generator", "counter", "array")
    return f"{hand.new(other.partition('_')[0])} = {other}"


def cycle(hand: Hand) -> str:
    name = hand.some("list")
    return f"{name}.append({name})"


def new_dict(hand: Hand) -> str:
    return f"{hand.new('dict')} = {{n: str(n) for n in range({hand.number(500)})}}"


def put(hand: Hand) -> str:
    value = hand.some("list", "dict", "int", "point", "closure")
    return f"{hand.some('dict')}[{hand.number(50)}] = {value}"


def take_out(hand: Hand) -> str:
    return f"{hand.some('dict')}.pop({hand.number(50)})"  # a KeyError, sometimes


def unpack(hand: Hand) -> str:
    return f"{hand.new('int')}, *{hand.new('list')} = {hand.some('list')}"  # likewise


def new_set(hand: Hand) -> str:
    return f"{hand.new('set')} = {{n % {hand.number(40) + 1} for n in range({hand.number(200)})}}"


def add(hand: Hand) -> str:
    return f"{hand.some('set')}.add({hand.number()})"


def new_class(hand: Hand) -> str:
    name = hand.new("Class")
    return (
        f"class {name}:\n    shared = [{hand.number()}]\n"
        f"    def __init__(self, x):\n        self.x, self.me = x, self\n"
        f"    def grow(self, by={hand.number()}):\n        self.x += by\n        return self"
    )


def instance(hand: Hand) -> str:
    return f"{hand.new('point')} = {hand.some('Class')}({hand.number()})"


def grow(hand: Hand) -> str:
    return f"{hand.some('point')}.grow()"


def patch(hand: Hand) -> str:
    return f"{hand.some('Class')}.shared.append({hand.some('point', 'int')})"


def other_class(hand: Hand) -> str:
    return f"{hand.some('point')}.__class__ = {hand.some('Class')}"


def bound_method(hand: Hand) -> str:
    return f"{hand.new('method')} = {hand.some('point')}.grow"


def call_method(hand: Hand) -> str:
    return f"{hand.some('method')}({hand.number()})"


def closure(hand: Hand) -> str:
    return (
        f"def make_{hand.number(2)}(held):\n    def inside(by=1):\n        nonlocal held\n"
        "        held += by\n        return held\n    return inside\n"
        f"{hand.new('closure')} = make_0({hand.number()})"
    )


def call_closure(hand: Hand) -> str:
    return f"{hand.new('int')} = {hand.some('closure')}({hand.number()})"


def anonymous(hand: Hand) -> str:
    return f"{hand.new('lambda')} = lambda n, k={hand.number()}: n * k + {hand.number()}"


def call_anonymous(hand: Hand) -> str:
    return f"{hand.new('int')} = {hand.some('lambda')}({hand.number()})"


def generator(hand: Hand) -> str:
    return (
        "def count(start, step):\n    seen = []\n    while True:\n        seen.append(start)\n"
        f"        yield start\n        start += step\n{hand.new('generator')} = count({hand.number()}, 3)"
    )


def advance(hand: Hand) -> str:
    return f"{hand.new('int')} = next({hand.some('generator')})"


def close(hand: Hand) -> str:
    return f"{hand.some('generator')}.close()"


def write_elsewhere(hand: Hand) -> str:
    """No assignment to the name is seen in the cell that calls it."""
    name = hand.new(hand.chance.choice(["int", "list"]))
    value = f"[{name!r}]" if name.startswith("list") else hand.number()
    return f"def write_{name}():\n    global {name}\n    {name} = {value}\nwrite_{name}()"


def write_again(hand: Hand) -> str:
    return f"{hand.some('write')}()"


def forget(hand: Hand) -> str:
    return f"del {hand.gone(hand.some('int', 'str', 'list', 'dict', 'set', 'point', 'generator', 'lambda'))}"


def through_globals(hand: Hand) -> str:
    return f"globals()[{hand.new('int')!r}] = {hand.number()}"


def swap(hand: Hand) -> str:
    one, other = hand.some("list"), hand.some("list")
    return f"{one}, {other} = {other}, {one}"


def draw(hand: Hand) -> str:
    seeded = hand.some("seeded")  # else each process draws something else
    drawn = f"[random.random() for _ in range({hand.number(5)})]"
    return f"import random\n{seeded} += 1\n{hand.new('list')} = {drawn}"


def seed(hand: Hand) -> str:
    return f"import random\n{hand.new('seeded')} = {hand.number()}\nrandom.seed({hand.number()})"


def own_random(hand: Hand) -> str:
    made = f"{hand.new('chance')} = random.Random({hand.number()})"
    return f"import random\n{made}; {hand.some('chance')}.random()"


def collections(hand: Hand) -> str:
    return (
        f"import collections\n{hand.new('deque')} = collections.deque({hand.some('list')}, maxlen=9)\n"
        f"{hand.new('tally')} = collections.Counter({hand.some('str')})"
    )


def iterate(hand: Hand) -> str:
    return f"{hand.new('int')} = sum(x for x in {hand.some('list')} if type(x) is int)"


def fail(hand: Hand) -> str:
    return f"{hand.some('list')}.append('before')\n1 / 0"


def wait(hand: Hand) -> str:
    return f"import asyncio\nawait asyncio.sleep(0)\n{hand.new('int')} = {hand.number()}"


def say(hand: Hand) -> str:
    return f"for n in range({hand.number(50)}): print(n, end=' ')\n{hand.new('int')} = n"  # a NameError, at 0


def buffer(hand: Hand) -> str:
    name = hand.new("buffer")
    return f"{name} = bytearray({hand.number(100_000)}); {hand.new('view')} = memoryview({name})[1::3]"


def write_buffer(hand: Hand) -> str:
    return f"{hand.some('buffer')}[{hand.number(100)}] = {hand.number(256)}"


TRICKS: list[Trick] = [
    *(integer, counting, text, new_list, append, alter, shorten, alias, cycle, new_dict, put, take_out),
    *(
        unpack,
        new_set,
        add,
        new_class,
        instance,
        grow,
        patch,
        other_class,
        bound_method,
        call_method,
        closure,
    ),
    *(call_closure, anonymous, call_anonymous, generator, advance, close, write_elsewhere, write_again),
    *(forget, through_globals, swap, draw, seed, own_random, collections, iterate, fail, wait, say, buffer),
    write_buffer,
]
