import pytest

from holdfast.errors import MalformedMessage
from holdfast.protocol import codec, content


def decode(kind, raw):
    return codec.decode(raw, content.REQUESTS[kind], kind)


def test_defaults_are_those_of_the_specification():
    execute = decode("execute_request", b'{"code":"1"}')
    assert (execute.silent, execute.store_history, execute.allow_stdin) == (False, True, False)
    assert execute.stop_on_error
    assert execute.user_expressions == {}
    assert decode("inspect_request", b'{"code":"a","cursor_pos":1}').detail_level == 0
    history = decode("history_request", b"{}")
    assert (history.hist_access_type, history.output, history.raw, history.session) == (
        "tail",
        False,
        True,
        0,
    )
    assert not decode("shutdown_request", b"{}").restart


@pytest.mark.parametrize(
    ("raw", "stored"),
    [
        (b'{"code":"1","silent":true}', False),
        (b'{"code":"1","silent":true,"store_history":true}', False),
        (b'{"code":"1","store_history":false}', False),
        (b'{"code":"1","store_history":true}', True),
    ],
)
def test_a_silent_cell_is_never_stored(raw, stored):
    assert decode("execute_request", raw).store_history is stored


@pytest.mark.parametrize("kind", sorted(content.REQUESTS))
def test_unknown_fields_are_tolerated(kind):
    known = b'"code":"","cursor_pos":0,"value":"","comm_id":"","target_name":""'
    decode(kind, b"{" + known + b',"colour":"red","n":null}')


@pytest.mark.parametrize(
    ("kind", "raw", "said"),
    [
        ("execute_request", b"{}", "code"),
        ("execute_request", b'{"code":1}', "code"),
        ("execute_request", b'{"code":"1","silent":1}', "silent"),
        ("complete_request", b'{"code":"a"}', "cursor_pos"),
        ("complete_request", b'{"code":"a","cursor_pos":-1}', "cursor_pos"),
        ("complete_request", b'{"code":"a","cursor_pos":99999999999999999999}', "cursor_pos"),
        ("inspect_request", b'{"code":"a","cursor_pos":0,"detail_level":2}', "detail_level"),
        ("history_request", b'{"hist_access_type":"all"}', "hist_access_type"),
        ("history_request", b'{"n":9223372036854775808}', "n"),
        ("comm_open", b'{"comm_id":"1"}', "target_name"),
        ("comm_msg", b"{}", "comm_id"),
        ("input_reply", b'{"value":null}', "value"),
    ],
)
def test_a_missing_or_wrong_field_is_refused_by_its_name(kind, raw, said):
    with pytest.raises(MalformedMessage, match=f"^{kind}: .*{said}"):
        decode(kind, raw)


def test_data_of_a_comm_stays_as_it_came():
    assert bytes(decode("comm_msg", b'{"comm_id":"1","data": {"x" : [1]} }').data) == b'{"x" : [1]}'
    assert bytes(decode("comm_close", b'{"comm_id":"1"}').data) == b"{}"
