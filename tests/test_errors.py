"""Messages help the person who reads them and give nothing away."""

import re

from provisioner import errors
from provisioner.errors import (
    CatalogueError,
    NotFound,
    UnknownDomain,
    UnknownFormat,
    UnknownLink,
    printable,
    suggestion,
)


def test_a_mistyped_name_gets_the_nearest_known_one() -> None:
    assert "Unknown format 'ios-exchnge'. Did you mean 'ios-exchange'?" == str(
        UnknownFormat("ios-exchnge", ["apple-imap", "ios-exchange"])
    )


def test_a_name_like_none_gets_all_of_them() -> None:
    assert "Known: apple-imap, ios-exchange." == suggestion("zzz", ["ios-exchange", "apple-imap"])
    assert "There is none yet." == suggestion("zzz", [])


def test_an_unknown_domain_says_how_to_add_it_and_lists_no_other() -> None:
    message = str(UnknownDomain("fabrikam.example", ["contoso.example"]))
    assert "provisioner domain add" in message
    assert "contoso" not in message


def test_all_unknown_links_read_the_same() -> None:
    assert str(UnknownLink()) == str(UnknownLink())
    assert isinstance(UnknownLink(), NotFound)


def test_strange_text_is_escaped_and_cut_before_it_is_shown() -> None:
    assert "'a\\n\\x1b[31m'" == printable("a\n\x1b[31m")
    assert 41 == len(printable("x" * 500))


def test_a_catalogue_error_names_file_line_and_key() -> None:
    error = CatalogueError(file="office365.toml", key="imap.port", line=7, reason="is 143")
    assert "office365.toml:7: imap.port: is 143" == str(error)
    assert "office365.toml: is empty" == str(CatalogueError(file="office365.toml", reason="is empty"))


def test_the_tree_in_the_docstring_is_the_tree_of_classes() -> None:
    drawn = re.findall(r"^ +[│ ]*[├└]── (\w+)", errors.__doc__ or "", re.MULTILINE)
    every = {name for name, found in vars(errors).items() if isinstance(found, type) and issubclass(found, Exception)}
    assert every - {"ProvisionerError"} == set(drawn)
    assert len(set(drawn)) == len(drawn)
