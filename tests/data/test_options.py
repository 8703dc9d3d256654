"""Values on the command line of prepare_data.py."""

import argparse

import pytest

import prepare_data
from langid.data.options import setting


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("--num-proc", "0", "0 is not a whole number from 1 upwards"),
        ("--num-proc", "two", "two is not a whole number from 1 upwards"),
        ("--min-duration-s", "inf", "inf is not a number of seconds"),
        ("--max-duration-s", "nan", "nan is not a number above 0, or inf for all"),
        ("--test", "1", "1 is not a share from 0 to below 1"),
    ],
)
def test_a_number_out_of_bounds_is_one_sentence(tmp_path, capsys, option, value, sentence):
    command = ["folder", str(tmp_path), "--output", str(tmp_path / "out"), option, value]
    with pytest.raises(SystemExit) as ended:
        prepare_data.main(command)
    assert ended.value.code == 2
    assert f"argument {option}: {sentence}\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "least"),
    [
        (["--max-duration-s", "0.2", "--min-duration-s", "0"], "0.3"),
        (["--max-duration-s", "3", "--min-duration-s", "4"], "4"),
        (["--max-duration-s", "3", "--min-speech", "5"], "5"),
    ],
)
@pytest.mark.parametrize("command", [["voxforge", "--archives"], ["folder"]])
def test_durations_that_leave_no_clip_are_said_before_any_work(
    tmp_path, capsys, command, more, least
):
    output = tmp_path / "out"
    arguments = [*command, str(tmp_path / "nowhere"), "--output", str(output), *more]
    assert prepare_data.main(arguments) == 2
    error = capsys.readouterr().err
    assert f"leaves no clip: each has at least {least} s" in error and error.count("\n") == 1


def test_a_model_setting_is_what_the_model_takes():
    n_units = setting("n_units")
    assert n_units("8192") == 8192
    for wrong in ("8193", "-1", "many"):
        with pytest.raises(argparse.ArgumentTypeError, match=f"{wrong}: input should be"):
            n_units(wrong)
