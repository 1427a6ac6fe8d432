"""A name server for the small internet in which mail clients are tested: it knows one zone text and nothing else.

RFC 1034 section 4.3.2, without delegation: an alias is followed inside the text, and a name that is not in it does not
exist.
"""

from collections import defaultdict
from collections.abc import Mapping
from socketserver import DatagramRequestHandler, ThreadingUDPServer

from dns.flags import AA, RA
from dns.message import Message, from_wire, make_response
from dns.name import Name
from dns.rcode import NXDOMAIN
from dns.rdatatype import CNAME, RdataType
from dns.rrset import RRset
from dns.zonefile import read_rrsets

Records = Mapping[Name, Mapping[RdataType, RRset]]


class NameServer(ThreadingUDPServer):
    """Answers questions of the DNS, over UDP, from a master file (RFC 1035 section 5) with absolute names."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], zone: str) -> None:
        super().__init__(address, _Handler)
        self.records = _read(zone)


class _Handler(DatagramRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, NameServer)
        self.wfile.write(_answer(self.server.records, from_wire(self.rfile.read())).to_wire())


def _read(zone: str) -> Records:
    records: dict[Name, dict[RdataType, RRset]] = defaultdict(dict)
    for found in read_rrsets(zone, origin=".", relativize=False, rdclass=None, default_ttl=60):
        records[found.name][found.rdtype] = found
    return records


def _answer(records: Records, query: Message) -> Message:
    (question,) = query.question
    reply, name = make_response(query), question.name
    reply.flags |= AA | RA
    while (alias := records.get(name, {}).get(CNAME)) is not None:
        reply.answer.append(alias)
        name = alias[0].target
    if name not in records:
        reply.set_rcode(NXDOMAIN)
    elif question.rdtype in records[name]:
        reply.answer.append(records[name][question.rdtype])
    return reply
