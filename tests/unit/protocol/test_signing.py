import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import BadSignature, ReplayedMessage
from holdfast.protocol.signing import ReplayWindow, Signer, known_scheme

SIGNER = Signer(b"a key")
PARTS = (b'{"header":1}', b"{}", b"{}", b'{"code":"1"}')
GOOD = SIGNER.sign(*PARTS)


def test_the_signature_is_the_hmac_of_the_joined_parts_in_hex():
    assert hmac.new(b"a key", b"".join(PARTS), "sha256").hexdigest().encode() == GOOD


@pytest.mark.parametrize("name", sorted(hashlib.algorithms_guaranteed - {"shake_128", "shake_256"}))
def test_every_fixed_length_hash_makes_a_scheme(name):
    signer = Signer(b"key", f"hmac-{name}")
    signature = signer.sign(*PARTS)
    assert signature == hmac.new(b"key", b"".join(PARTS), name).hexdigest().encode()
    signer.verify(signature, *PARTS)


@pytest.mark.parametrize("scheme", ["", "sha256", "hmac-", "hmac-rot13", "hmac-shake_128", "HMAC-SHA256"])
def test_an_unknown_scheme_is_refused_with_a_remedy(scheme):
    assert not known_scheme(scheme)
    with pytest.raises(BadSignature) as refusal:
        Signer(b"key", scheme)
    assert refusal.value.remedy


@given(st.binary(min_size=1), st.lists(st.binary(), min_size=4, max_size=4))
def test_what_is_signed_is_accepted(key, parts):
    signer = Signer(key)
    signer.verify(signer.sign(*parts), *parts)


@given(st.integers(0, 3), st.integers(0), st.integers(1, 255))
def test_any_changed_byte_of_a_signed_part_is_refused(which, place, change):
    changed = [bytearray(part) for part in PARTS]
    changed[which][place % len(changed[which])] ^= change
    with pytest.raises(BadSignature, match="wrong signature"):
        SIGNER.verify(GOOD, *map(bytes, changed))


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_any_changed_byte_of_a_signature_is_refused(place, change):
    wrong = bytearray(GOOD)
    wrong[place] ^= change
    with pytest.raises(BadSignature):
        SIGNER.verify(bytes(wrong), *PARTS)


@pytest.mark.parametrize(
    "signature",
    [
        b"",
        GOOD[:-1],
        GOOD + b"0",
        GOOD + b"\n",
        GOOD.upper(),
        b"z" * 64,
        b"\xff" * 64,
        bytes.fromhex(GOOD.decode()),
    ],
    ids=["empty", "short", "long", "newline", "upper case", "not hex", "not ascii", "not in hex"],
)
def test_an_ill_formed_signature_is_refused(signature):
    with pytest.raises(BadSignature):
        SIGNER.verify(signature, *PARTS)


@pytest.mark.parametrize("size", [0, 1, 63, 65, 1_000_000])
def test_the_length_of_a_signature_is_looked_at_before_anything_else(size):
    with pytest.raises(BadSignature, match=f"of {size} bytes, 64 are expected"):
        SIGNER.verify(b"0" * size, *PARTS)


@given(st.binary(max_size=100))
def test_any_other_bytes_are_no_signature(signature):
    if signature != GOOD:
        with pytest.raises(BadSignature):
            SIGNER.verify(signature, *PARTS)


def test_another_key_signs_otherwise():
    with pytest.raises(BadSignature):
        Signer(b"another key").verify(GOOD, *PARTS)


def test_an_empty_key_signs_nothing_and_accepts_no_signature_at_all():
    unsigned = Signer(b"")
    assert unsigned.sign(*PARTS) == b""
    unsigned.verify(b"", *PARTS)
    for signature in (GOOD, b"0", hmac.new(b"", b"".join(PARTS), "sha256").hexdigest().encode()):
        with pytest.raises(BadSignature):
            unsigned.verify(signature, *PARTS)


def test_a_signature_seen_before_is_refused():
    window = ReplayWindow(10)
    window.admit(b"one")
    window.admit(b"two")
    with pytest.raises(ReplayedMessage):
        window.admit(b"one")


@given(st.integers(1, 5), st.lists(st.sampled_from([b"%d" % number for number in range(9)]), max_size=60))
def test_the_window_is_the_last_distinct_signatures_in_their_order(size, signatures):
    window, remembered = ReplayWindow(size), []
    for signature in signatures:
        if signature in remembered:
            with pytest.raises(ReplayedMessage):
                window.admit(signature)
        else:
            window.admit(signature)
            remembered = [*remembered, signature][-size:]
        assert len(window) == len(remembered)
