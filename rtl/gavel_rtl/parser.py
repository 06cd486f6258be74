# SPDX-License-Identifier: Apache-2.0
"""Table-driven header parser."""

from collections.abc import Callable, Sequence

from amaranth.hdl import Cat, Module, Mux, Signal, Value
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
from gavel_rtl.lib import crc
from gavel_rtl.lib.delay import delayed
from gavel_rtl.lib.one_hot import encode, select
from gavel_rtl.lib.round_robin import first

_HEADER_BITS = 8 * HEADER_BYTES
_CLASS_BITS = 3
_MATCHED_BITS = 6
_COMPARED = 4
"""Bits of an EtherType that are compared with a setting before a register."""

_MATCHED_AT_ONCE = 2
"""Bits that a register ``VC_MATCH`` is compared with before a register."""

_ADDRESS_BITS = 48
_DESTINATION = Field(0, _ADDRESS_BITS)
_ETHERTYPE = Field(96, 16)
_ETHERNET = next(number for number, row in enumerate(PROFILES) if row.name == "ethernet")
"""The profile for which ``PROFILE`` chooses what else may decide the VC."""


def _moved(field: Field, bits: int) -> Field:
    """Where ``field`` lies if everything is ``bits`` further."""
    return Field(field.offset + bits, field.width)


def _drawn(data: Value) -> Value:
    """Bytes as the standards draw them: bit 0 of the first is the highest bit."""
    return Cat(data[low:low + 8] for low in reversed(range(0, len(data), 8)))


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
        Of the frame whose last word is on the pins in t, in t+2, ``reason`` and ``vc`` with
        `SwitchConfig.parser_stages` in t+3; meaningless for a frame that ends within its first 24
        bytes.

    Cycle behaviour
    ---------------
    t+1: the header's words go to their place in a 24-byte register, and what has to equal a
    constant is compared on the way, and the hash of an address is made. t+2: everything else,
    combinationally, or with `SwitchConfig.parser_stages` all that ``reason`` and ``vc`` are chosen
    from, which then goes through a register.
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
        # For each word of the header: it comes.
        self._comes: list[Signal] = []
        for position, low in enumerate(range(0, _HEADER_BITS, config.data_width)):
            if position:
                at_next = Signal(name=f"at_word_{position}")
                with m.If(word.valid):
                    m.d.sync += at_next.eq(at)
                at = at_next & ~word.sop
            comes = Signal(name=f"word_{position}_comes")
            m.d.comb += comes.eq(word.valid & at)
            with m.If(comes):
                m.d.sync += received[low:low + config.data_width].eq(word.data)
            self._comes.append(comes)
        self._header = Signal(_HEADER_BITS, name="header")
        self._coming = Signal(config.data_width, name="coming")
        m.d.comb += [self._header.eq(_drawn(received)), self._coming.eq(_drawn(word.data))]
        self._held: dict[Match, Signal] = {}
        octets = Signal(_ADDRESS_BITS)
        m.d.comb += octets.eq(word.data[:_ADDRESS_BITS])
        if config.fdb_sets > 1:
            with m.If(self._comes[0]):
                m.d.sync += self.fields.hash.eq(crc.crc32_of(octets, len(self.fields.hash)))

    def _late(self, m: Module, value: Value, name: str) -> Value:
        """In the cycle in which ``reason`` and ``vc`` are shown what is found in t+2."""
        return delayed(m, value, name, self._config.parser_stages)

    def _choose_profile(self, m):
        profile = self.settings.profile
        m.d.comb += self.fields.profile.eq(Mux(profile < len(PROFILES), profile, 0))
        self._uses = list(self.settings.profile_is)

    def _take(self, field: Field) -> Value:
        low = _HEADER_BITS - field.offset - field.width
        return self._header[low:low + field.width]

    def _take_coming(self, field: Field) -> tuple[Signal, Value]:
        """In t+1: the word that ``field`` lies in comes, and the field."""
        position, first = divmod(field.offset, self._config.data_width)
        low = self._config.data_width - first - field.width
        assert low >= 0, "a field that is looked at early lies in one word"
        return self._comes[position], self._coming[low:low + field.width]

    def _holds(self, m: Module, match: Match) -> Value:
        """Bits that are all 1 if it holds: those of what is compared with a setting, which is far
        away, are put together in the cycle in which ``reason`` is shown."""
        if match.value is None:
            differs = self._take(match.field) ^ self.settings.esun_ethertype
            return Cat(differs[low:low + _COMPARED] == 0
                       for low in range(0, len(differs), _COMPARED))
        if match not in self._held:
            comes, value = self._take_coming(match.field)
            held = Signal(name=f"bits_{match.field.offset}_are_{match.value:x}")
            with m.If(comes):
                m.d.sync += held.eq(value == match.value)
            self._held[match] = held
        return self._held[match]

    def _any_profile(self, condition: Callable[[Profile], object]) -> Value:
        """1 if the port's profile meets ``condition``."""
        return Cat(uses for uses, row in zip(self._uses, PROFILES, strict=True)
                   if condition(row)).any()

    def _field(self, get: Callable[[Profile], Field | None], width: int) -> Value:
        """The field that ``get`` names in the port's profile, right-aligned; 0 if it has none. A
        bit that lies at the same place in several profiles is taken once."""
        bits = []
        for bit in range(width):
            places: dict[int, list[Value]] = {}
            for uses, row in zip(self._uses, PROFILES, strict=True):
                if (field := get(row)) is not None and bit < field.width:
                    places.setdefault(field.offset + field.width - 1 - bit, []).append(uses)
            *others, (most, _) = sorted(places.items(), key=lambda item: len(item[1]))
            chosen = [(Cat(uses).any(), self._take(Field(place, 1))) for place, uses in others]
            in_most = Cat(places[most]).any()
            if sum(map(len, places.values())) == len(PROFILES):
                in_most = ~Cat(uses for uses, _ in chosen).any()
            bits.append(select([*chosen, (in_most, self._take(Field(most, 1)))]))
        return Cat(bits)

    def _find_fields(self, m):
        fields = self.fields
        ttl = Signal(max(row.ttl.width for row in PROFILES if row.ttl is not None))
        is_mac_control = (Match(_DESTINATION, MAC_CONTROL_ADDRESS),
                          Match(_ETHERTYPE, MAC_CONTROL_ETHERTYPE))
        mac_control = Signal()
        expired = Signal()
        conditions = dict.fromkeys(match for row in PROFILES for match in row.match)
        differs = Cat(self._any_profile(lambda row, match=match: match in row.match) & ~holds
                      for match in conditions for holds in self._holds(m, match))
        m.d.comb += [
            fields.dst.eq(self._field(lambda row: row.dst, _ADDRESS_BITS)),
            fields.address.eq(self._take(_DESTINATION)),
            fields.is_address.eq(self._any_profile(lambda row: row.dst.width == _ADDRESS_BITS)),
            ttl.eq(self._field(lambda row: row.ttl, len(ttl))),
            mac_control.eq(Cat(self._holds(m, match) for match in is_mac_control).all()),
            expired.eq(self._any_profile(lambda row: row.ttl is not None) & (ttl <= 1)),
        ]
        mac_control, expired = (self._late(m, value, value.name)
                                for value in (mac_control, expired))
        malformed = self._late(m, differs, "differs").any()
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
        conditions = dict.fromkeys(row.class_when for row in PROFILES
                                   if row.class_when is not None)
        no_class = [self._any_profile(lambda row, when=when: row.class_when == when)
                    & ~self._holds(m, when).all() for when in conditions]
        # For each class, before one is chosen.
        vcs = [Mux(wanted < config.vcs, wanted, config.vcs - 1)[:config.vc_bits]
               for wanted in (settings.vc_map.word_select(n, 4) for n in range(1 << _CLASS_BITS))]
        by_pcp_dei = Signal()
        by_dscp = Signal()
        m.d.comb += [
            traffic_class.eq(self._field(lambda row: row.traffic_class, _CLASS_BITS)),
            by_pcp_dei.eq(self._uses[_ETHERNET] & (settings.class_from == ClassFrom.PCP_DEI)),
            by_dscp.eq(self._uses[_ETHERNET] & (settings.class_from == ClassFrom.DSCP)),
        ]
        m.d.comb += self.fields.vc.eq(Mux(
            self._late(m, by_pcp_dei | by_dscp, "by_match"), self._match_vc(m),
            self._by_map(m, vcs, traffic_class, Cat(no_class).any())))

    def _by_map(self, m: Module, vcs: Sequence[Value], traffic_class: Signal,
                no_class: Value) -> Value:
        """The VC of a class; where there is none, that of class 0."""
        bits, half = self._config.vc_bits, len(vcs) // 2
        lower, upper = (Cat(of_half).word_select(traffic_class[:-1], bits)
                        for of_half in (vcs[:half], vcs[half:]))
        late = {name: self._late(m, value, name) for name, value in (
            ("no_class", no_class), ("vc_of_class_0", vcs[0]), ("in_upper", traffic_class[-1]),
            ("in_lower_half", lower), ("in_upper_half", upper))}
        return Mux(late["no_class"], late["vc_of_class_0"],
                   Mux(late["in_upper"], late["in_upper_half"], late["in_lower_half"]))

    def _tagged(self, m: Module, comes: Value) -> Value:
        """In t+1: the frame of which this word comes has a tag, that comes with it or has come."""
        with_it, ethertype = self._take_coming(TAGGED.field)
        return ethertype == TAGGED.value if comes is with_it else self._holds(m, TAGGED)

    def _find_pcp_dei(self, m: Module) -> Signal:
        """In t+2 PCP and DEI, 0 without a tag; found as their word comes."""
        found = Signal(PCP_DEI.width, name="pcp_dei")
        comes, value = self._take_coming(PCP_DEI)
        with m.If(comes):
            m.d.sync += found.eq(Mux(self._tagged(m, comes), value, 0))
        return found

    def _find_dscp(self, m: Module) -> Signal:
        """In t+2 the DSCP, 0 if there is none; found as its word comes."""
        found = Signal(_MATCHED_BITS, name="dscp")
        (plain_comes, plain), (behind_comes, behind) = (
            (self._take_coming(_moved(TAGGED.field, moved))[0],
             select([(self._take_coming(_moved(match.field, moved))[1] == match.value,
                      self._take_coming(_moved(field, moved))[1])
                     for match, field in DSCP_PLACES]))
            for moved in (0, TAG_BITS))
        with m.If(plain_comes):
            m.d.sync += found.eq(plain)
        with m.If(behind_comes & self._tagged(m, behind_comes)):
            m.d.sync += found.eq(behind)
        return found

    def _match_vc(self, m: Module) -> Value:
        """The VC that the registers ``VC_MATCH`` give to PCP and DEI, or to the DSCP."""
        config, from_pcp_dei = self._config, self.settings.class_from == ClassFrom.PCP_DEI
        number = Signal(_MATCHED_BITS)
        m.d.comb += number.eq(Mux(from_pcp_dei, self._find_pcp_dei(m), self._find_dscp(m)))
        hits = Signal(config.vcs)
        for vc, setting in enumerate(self.settings.vc_match):
            mask = setting[VcMatch.MASK:VcMatch.MASK + _MATCHED_BITS]
            value = setting[VcMatch.VALUE:VcMatch.VALUE + _MATCHED_BITS]
            differs = (number ^ value) & mask
            same = Cat(differs[low:low + _MATCHED_AT_ONCE] == 0
                       for low in range(0, _MATCHED_BITS, _MATCHED_AT_ONCE))
            m.d.comb += hits[vc].eq(self._late(m, same, f"match_{vc}_same").all())
        return encode(first(hits), config.vc_bits)
