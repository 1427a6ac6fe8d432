"""Brings setup links to people: as mails through an SMTP server, as printed cards, as a poster.

SMTP: RFC 5321, over TLS alone (RFC 3207 or implicit); mails: RFC 5322 and MIME. A mail that may have been sent is never
sent again by itself.
"""

from provisioner.sending.letter import Letter, Sender, compose
from provisioner.sending.line import RelayLine
from provisioner.sending.outbox import Forecast, Outbox
from provisioner.sending.pace import Pace
from provisioner.sending.people import open_letters
from provisioner.sending.printing import card_sheet, poster
from provisioner.sending.relay import Fate, Outcome, Password, Relay, Token
from provisioner.sending.round import Round, Tally
from provisioner.sending.stationery import Stationery

__all__ = [
    "Fate",
    "Forecast",
    "Letter",
    "Outbox",
    "Outcome",
    "Pace",
    "Password",
    "Relay",
    "RelayLine",
    "Round",
    "Sender",
    "Stationery",
    "Tally",
    "Token",
    "card_sheet",
    "compose",
    "open_letters",
    "poster",
]
