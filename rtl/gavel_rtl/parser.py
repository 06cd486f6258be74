# SPDX-License-Identifier: Apache-2.0
"""Table-driven header parser."""

from collections.abc import Callable

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.mac_control import MAC_CONTROL_ADDRESS, MAC_CONTROL_ETHERTYPE
from gavel_model.profiles import (
    DSCP_PLACES,
    HEADER_BYTES,
    PCP_DEI,
    PROFILES,
    TAG_BITS,
    TAGGED,
    Field,
    Match,
    Profile,
)
from gavel_model.register_map import ClassFrom, VcMatch
from gavel_rtl.interfaces import Fields, FrameWord, PortSettings, Reason
from gavel_rtl.lib.one_hot import encode, select
from gavel_rtl.lib.round_robin import first

_HEADER_BITS = 8 * HEADER_BYTES
_CLASS_BITS = 3
_MATCHED_BITS = 6
_DESTINATION = Field(0, 48)
_ETHERTYPE = Field(96, 16)
_ETHERNET = next(number for number, row in enumerate(PROFILES) if row.name == "ethernet")
"""The profile for which ``PROFILE`` chooses what else may decide the VC."""


def _behind_tag(field: Field) -> Field:
    """Where ``field`` lies in a tagged frame."""
    return Field(field.offset + TAG_BITS, field.width)


class Parser(wiring.Component):
    """Finds destination, VC and faults in a frame's first 24 bytes (spec chapter 5).

    What lies where comes from `gavel_model.profiles.PROFILES`; a field that lies at the same
    place in several profiles is cut out once.

    Members
    -------
    word
        Frame words, in t+1.
    settings
        Registers as visible in t+2.
    fields
        Of the frame whose last word is on the pins in t, in t+2; meaningless for a frame that
        ends within its first 24 bytes.

    Cycle behaviour
    ---------------
    t+1: the header's words go to their place in a 24-byte register. t+2: everything else,
    combinationally.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        super().__init__({
            "word": In(FrameWord(config)),
            "settings": In(PortSettings(config)),
            "fields": Out(Fields(config)),
        })

    def elaborate(self, platform):
        m = Module()
        self._collect(m)
        self._choose_profile(m)
        self._find_fields(m)
        self._find_vc(m)
        return m

    def _collect(self, m):
        """Cycle t+1. ``header`` stands as drawn: the frame's bit 0 is its highest bit."""
        config = self._config
        word = self.word
        received = Signal(_HEADER_BITS)
        at = word.sop
        for position, low in enumerate(range(0, _HEADER_BITS, config.data_width)):
            if position:
                at_next = Signal(name=f"at_word_{position}")
                with m.If(word.valid):
                    m.d.sync += at_next.eq(at)
                at = at_next & ~word.sop
            with m.If(word.valid & at):
                m.d.sync += received[low:low + config.data_width].eq(word.data)
        self._header = Signal(_HEADER_BITS, name="header")
        m.d.comb += self._header.eq(
            Cat(received.word_select(HEADER_BYTES - 1 - byte, 8) for byte in range(HEADER_BYTES)))

    def _choose_profile(self, m):
        profile = self.settings.profile
        m.d.comb += self.fields.profile.eq(Mux(profile < len(PROFILES), profile, 0))
        self._uses = []
        for number, row in enumerate(PROFILES):
            uses = Signal(name=f"is_{row.name}")
            m.d.comb += uses.eq(self.fields.profile == number)
            self._uses.append(uses)

    def _take(self, field: Field) -> Value:
        low = _HEADER_BITS - field.offset - field.width
        return self._header[low:low + field.width]

    def _holds(self, match: Match) -> Value:
        value = self.settings.esun_ethertype if match.value is None else match.value
        return self._take(match.field) == value

    def _any_profile(self, condition: Callable[[Profile], object]) -> Value:
        """1 if the port's profile meets ``condition``."""
        return Cat(uses for uses, row in zip(self._uses, PROFILES, strict=True)
                   if condition(row)).any()

    def _field(self, get: Callable[[Profile], Field | None]) -> Value:
        """The field that ``get`` names in the port's profile; 0 if the profile has none."""
        places = dict.fromkeys(place for row in PROFILES if (place := get(row)) is not None)
        return select([(self._any_profile(lambda row, place=place: get(row) == place),
                        self._take(place)) for place in places])

    def _find_fields(self, m):
        fields = self.fields
        ttl = Signal(max(row.ttl.width for row in PROFILES if row.ttl is not None))
        mac_control = Signal()
        malformed = Signal()
        expired = Signal()
        conditions = dict.fromkeys(match for row in PROFILES for match in row.match)
        m.d.comb += [
            fields.dst.eq(self._field(lambda row: row.dst)),
            fields.is_address.eq(self._any_profile(lambda row: row.dst.width == 48)),
            ttl.eq(self._field(lambda row: row.ttl)),
            mac_control.eq((self._take(_DESTINATION) == MAC_CONTROL_ADDRESS)
                           & (self._take(_ETHERTYPE) == MAC_CONTROL_ETHERTYPE)),
            malformed.eq(Cat(
                self._any_profile(lambda row, match=match: match in row.match)
                & ~self._holds(match) for match in conditions).any()),
            expired.eq(self._any_profile(lambda row: row.ttl is not None) & (ttl <= 1)),
        ]
        with m.If(mac_control):
            m.d.comb += fields.reason.eq(Reason.MAC_CONTROL)
        with m.Elif(malformed):
            m.d.comb += fields.reason.eq(Reason.HEADER)
        with m.Elif(expired):
            m.d.comb += fields.reason.eq(Reason.TTL)
        with m.Else():
            m.d.comb += fields.reason.eq(Reason.FILED)

    def _find_vc(self, m):
        config, settings = self._config, self.settings
        traffic_class = Signal(_CLASS_BITS)
        wanted = Signal(4)
        by_map = Signal(config.vc_bits)
        conditions = dict.fromkeys(row.class_when for row in PROFILES
                                   if row.class_when is not None)
        no_class = [self._any_profile(lambda row, when=when: row.class_when == when)
                    & ~self._holds(when) for when in conditions]
        by_pcp_dei = Signal()
        by_dscp = Signal()
        m.d.comb += [
            traffic_class.eq(Mux(Cat(no_class).any(), Const(0, _CLASS_BITS),
                                 self._field(lambda row: row.traffic_class))),
            wanted.eq(settings.vc_map.word_select(traffic_class, 4)),
            by_map.eq(Mux(wanted < config.vcs, wanted, config.vcs - 1)),
            by_pcp_dei.eq(self._uses[_ETHERNET] & (settings.class_from == ClassFrom.PCP_DEI)),
            by_dscp.eq(self._uses[_ETHERNET] & (settings.class_from == ClassFrom.DSCP)),
        ]
        by_match = self._match_vc(m, by_pcp_dei, by_dscp)
        m.d.comb += self.fields.vc.eq(Mux(by_pcp_dei | by_dscp, by_match, by_map))

    def _match_vc(self, m: Module, by_pcp_dei: Signal, by_dscp: Signal) -> Value:
        """The VC that the registers ``VC_MATCH`` give to PCP and DEI, or to the DSCP."""
        config = self._config
        tagged = Signal()
        number = Signal(_MATCHED_BITS)
        m.d.comb += tagged.eq(self._holds(TAGGED))
        choices: list[tuple[Value, Value]] = [(by_pcp_dei & tagged, self._take(PCP_DEI))]
        for match, field in DSCP_PLACES:
            choices.append((by_dscp & self._holds(match), self._take(field)))
            behind = Match(_behind_tag(match.field), match.value)
            choices.append((by_dscp & tagged & self._holds(behind),
                            self._take(_behind_tag(field))))
        m.d.comb += number.eq(select(choices))
        hits = Signal(config.vcs)
        for vc, setting in enumerate(self.settings.vc_match):
            mask = setting[VcMatch.MASK:VcMatch.MASK + _MATCHED_BITS]
            value = setting[VcMatch.VALUE:VcMatch.VALUE + _MATCHED_BITS]
            m.d.comb += hits[vc].eq(((number ^ value) & mask) == 0)
        return encode(first(hits), config.vc_bits)
