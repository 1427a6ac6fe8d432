"""Everybody of a domain in an MDM's own words, and the refusal of what is not a word of any MDM.

A wrong variable is not an error to most MDMs: its letters arrive on the phone as they are. So the spelling is the fact
file's, and where an MDM is not among them, what its administrator writes is checked as far as it can be.
"""

import re
from dataclasses import replace
from datetime import date

from provisioner.address import normalise_address, refuse_unwritable
from provisioner.errors import InvalidAddress, InvalidText, MdmRefusal, printable
from provisioner.format import Variables
from provisioner.mdm.values import Answer, Mdm, VariableNames
from provisioner.model import Evidence

_ESCAPED = re.compile(r"""[&<>"'\\]""")  # in XML; and the backslash in JSON
_MARK = re.compile(r"[^\w\s.@+-]+|_")  # what distinguishes a variable from a word: $ % { [ # and their like
_GIVEN = Evidence(sources=(), checked=date.min, confidence="given")


def variables_for(mdm: Mdm, domain: str, *, named: bool = True) -> Variables:
    """Everybody of ``domain`` as ``mdm`` spells them. Raises MdmRefusal where it has no variables, and InvalidDomain.

    A person's name is among them only where the MDM is known to escape it: an ampersand in a name would otherwise
    break the whole profile. It escapes for XML; for a document that is written in anything else, ask for nobody
    ``named``.
    """
    names = mdm.variables
    if names is None:
        raise MdmRefusal(
            mdm.name,
            "it needs --address-variable and --username-variable: how it spells them is not known here."
            if mdm.asks_for_variables
            else "it fills no variables in, so one profile cannot serve a whole domain. Export one for each person: "
            "--csv FILE instead of --domain.",
        )
    return Variables(
        domain=domain,
        address=names.address,
        username=names.sign_in,
        display_name=names.full_name if named and names.escaped is Answer.YES else "",
    )


def with_variables(mdm: Mdm, *, address: str, username: str) -> Mdm:
    """``mdm`` with the variables that its administrator has named.

    Raises MdmRefusal where ``mdm`` has its own, and where one of them is empty, holds a character that XML escapes or
    is no variable.
    """
    if not mdm.asks_for_variables:
        raise MdmRefusal(
            mdm.name, "its variables are known here; leave --address-variable and --username-variable out."
        )
    for option, text in (("--address-variable", address), ("--username-variable", username)):
        _require_variable(mdm, option, text)
    return replace(
        mdm,
        variables=VariableNames(
            address=address,
            username=username,
            username_is_upn=Answer.UNKNOWN,
            escaped=Answer.UNKNOWN,
            in_profiles=Answer.UNKNOWN,
            reserved=tuple(sorted({_start(address), _start(username)})),
            evidence=_GIVEN,
        ),
    )


def _require_variable(mdm: Mdm, option: str, text: str) -> None:
    if not text.strip():
        raise MdmRefusal(mdm.name, f"{option} is empty; a variable such as %Email% was expected.")
    try:
        refuse_unwritable(text)
    except InvalidText as refusal:
        raise MdmRefusal(mdm.name, f"{option} {refusal}") from None
    if _ESCAPED.search(text):
        raise MdmRefusal(
            mdm.name, f"{option} holds one of & < > \" ' \\, which XML or JSON escapes; the MDM would not find it."
        )
    if _is_address(text):
        raise MdmRefusal(mdm.name, f"{option} is an address; the variable that stands for everybody's was expected.")
    if _MARK.search(text) is None:
        raise MdmRefusal(
            mdm.name, f"{option} {printable(text)} is a plain word, no variable such as %Email% or {{{{mail}}}}."
        )


def _is_address(text: str) -> bool:
    try:
        normalise_address(text)
    except InvalidAddress:
        return False
    return True


def _start(variable: str) -> str:
    """The signs that a variable starts with, as far as they can be told from its name."""
    found = _MARK.search(variable)
    assert found is not None  # _require_variable
    return found.group()
