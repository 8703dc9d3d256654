"""Values on the command line of prepare_data.py."""

import pytest

import prepare_data


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
