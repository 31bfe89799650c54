"""latent_audit.base.errors: what a person sees of their own mistake, and what of ours."""

import pytest

from latent_audit.base.errors import InputError, reported


def test_an_input_error_becomes_one_message_and_exit_code_2(capsys):
    with pytest.raises(SystemExit) as stopped, reported():
        raise InputError("beta: must be a finite number (found inf)")
    assert stopped.value.code == 2
    assert stopped.value.__suppress_context__  # no traceback behind it
    out, err = capsys.readouterr()
    assert (out, err) == ("", "error: beta: must be a finite number (found inf)\n")


def test_any_other_error_keeps_its_traceback(capsys):
    with pytest.raises(KeyError, match="lost"), reported():
        raise KeyError("lost")
    assert capsys.readouterr() == ("", "")


def test_a_plain_value_error_is_a_bug_not_an_input():
    with pytest.raises(ValueError, match="ours"), reported():
        raise ValueError("ours")


def test_nothing_happens_where_nothing_is_wrong(capsys):
    with reported():
        value = 3
    assert value == 3
    assert capsys.readouterr() == ("", "")


def test_an_input_error_is_a_value_error():
    assert issubclass(InputError, ValueError)


def test_a_lack_of_memory_becomes_one_message_too(capsys):
    with pytest.raises(SystemExit) as stopped, reported():
        raise MemoryError("Unable to allocate 3.00 TiB for an array")
    assert stopped.value.code == 2
    assert capsys.readouterr().err == (
        "error: out of memory (Unable to allocate 3.00 TiB for an array); close other programs, or set data.limit, and "
        "run again\n"
    )
