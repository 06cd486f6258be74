# SPDX-License-Identifier: Apache-2.0
"""The self-test of one port: what stands where its MAC was, and its page of registers."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_model.selftest_format import TIME_BITS
from gavel_model.selftest_map import RESULTS, WRITABLE, SelfTestMode, SelfTestRegister
from gavel_rtl.block import connect, place
from gavel_rtl.interfaces import LINK_MEMBERS, RxLink, TxLink
from gavel_rtl.selftest_checker import SelfTestChecker
from gavel_rtl.selftest_generator import SelfTestGenerator
from gavel_rtl.selftest_results import ROW_BITS, SelfTestResults
from gavel_rtl.selftest_settings import SelfTestPortSettings

_WORD = 32
_FRAME = ("sop", "eop", "empty", "data")
_MARKS = ("err", "llr", "seq")


class SelfTestPort(wiring.Component):
    """Generator, checker and the four ways to connect them (docs/selftest.md).

    Parameters
    ----------
    config
        The switch.

    Members
    -------
    number
        Number of the port.
    mac_rx, mac_tx
        The MAC's side: what it gives, and what it is given.
    rx, tx
        The pins of the switch.
    run, clear
        ``CONTROL`` as visible in the cycle.
    now, now_before
        Low bits of ``CYCLES``, and of four cycles before.
    turn, fresh
        As `SelfTestResults` has them.
    select, row
        One-hot: the register of this page addressed; low bits of its offset.
    selected
        It is this port's.
    we, wdata
        Write to it.
    value, high
        Its value, and the high half of one of 64 bits; 0 if it is not this port's.
    busy
        The generator is busy.

    Cycle behaviour
    ---------------
    From ``mac_rx`` to ``rx`` and from ``tx`` to ``mac_tx`` combinational. A write is visible in the
    next cycle; ``value`` and ``high`` are combinational.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        super().__init__({
            "number": In(config.port_bits),
            "mac_rx": In(RxLink(config)),
            "mac_tx": Out(TxLink(config)),
            "rx": Out(RxLink(config)),
            "tx": In(TxLink(config)),
            "run": In(1),
            "clear": In(1),
            "now": In(_WORD),
            "now_before": In(TIME_BITS),
            "turn": In(ROW_BITS),
            "fresh": In(1),
            "select": In(len(SelfTestRegister)),
            "row": In(ROW_BITS),
            "selected": In(1),
            "we": In(1),
            "wdata": In(_WORD),
            "value": Out(_WORD),
            "high": Out(_WORD),
            "busy": Out(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        settings = place(m, "settings", SelfTestPortSettings(config))
        generator = place(m, "generator", SelfTestGenerator(config))
        checker = place(m, "checker", SelfTestChecker(config))
        results = place(m, "results", SelfTestResults(config))
        mode = settings.settings.mode
        connect(m, generator.settings, settings.settings)
        connect(m, results.frame, checker.frame)
        self._registers(m, settings, results)
        m.d.comb += [
            generator.number.eq(self.number),
            generator.run.eq(self.run),
            generator.clear.eq(self.clear),
            generator.now.eq(self.now[:TIME_BITS]),
            generator.ready.eq((mode != SelfTestMode.LINK) | self.mac_tx.ready),
            self.busy.eq(generator.busy),
            checker.number.eq(self.number),
            checker.clear.eq(self.clear),
            checker.now.eq(self.now_before),
            results.clear.eq(self.clear),
            results.now.eq(self.now),
            results.sent.eq(generator.sent),
            results.bytes.eq(checker.bytes),
            results.turn.eq(self.turn),
            results.fresh.eq(self.fresh),
            results.row.eq(self.row),
        ]
        self._links(m, mode, generator, checker)
        return m

    def _registers(self, m: Module, settings: SelfTestPortSettings,
                   results: SelfTestResults) -> None:
        names = list(SelfTestRegister)
        busy, select = Signal(), Signal.like(self.select, name="select_here")
        m.d.comb += [
            select.eq(self.select & self.selected.replicate(len(select))),
            settings.we.eq(self.we),
            settings.wdata.eq(self.wdata),
            busy.eq(select[names.index(SelfTestRegister.BUSY)] & self.busy),
            self.value.eq(settings.value | results.value | busy),
            self.high.eq(results.high),
        ]
        for block, registers in ((settings, WRITABLE), (results, RESULTS)):
            m.d.comb += [block.select[n].eq(select[names.index(register)])
                         for n, register in enumerate(registers)]

    def _links(self, m: Module, mode: Signal, generator: SelfTestGenerator,
               checker: SelfTestChecker) -> None:
        """The table of docs/selftest.md, chapter 1."""
        generates, to_mac, is_link, is_internal = (
            Signal(name=name) for name in ("generates", "to_mac", "is_link", "is_internal"))
        made = generator.word
        m.d.comb += [
            is_internal.eq(mode == SelfTestMode.INTERNAL),
            is_link.eq(mode == SelfTestMode.LINK),
            generates.eq(is_internal | (mode == SelfTestMode.EXTERNAL)),
            to_mac.eq((mode == SelfTestMode.OFF) | (mode == SelfTestMode.EXTERNAL)),
            self.rx.up.eq(generates | self.mac_rx.up),
            self.mac_tx.up.eq(self.tx.up),
            self.tx.ready.eq(~to_mac | self.mac_tx.ready),
            self.tx.ctl_ready.eq(~to_mac | self.mac_tx.ctl_ready),
            self.rx.ctl_valid.eq((mode == SelfTestMode.OFF) & self.mac_rx.ctl_valid),
            self.mac_tx.ctl_valid.eq(to_mac & self.tx.ctl_valid),
            self.rx.valid.eq(Mux(generates, made.valid,
                                 (mode == SelfTestMode.OFF) & self.mac_rx.valid)),
            self.mac_tx.valid.eq(Mux(is_link, made.valid, to_mac & self.tx.valid)),
            checker.link.up.eq(Mux(is_internal, self.tx.up, self.mac_rx.up)),
            checker.link.valid.eq(Mux(is_internal, self.tx.valid, self.mac_rx.valid & mode[1])),
        ]
        for name in LINK_MEMBERS:
            received, sent = getattr(self.rx, name), getattr(self.mac_tx, name)
            given, shown = getattr(self.mac_rx, name), getattr(self.tx, name)
            if name in _FRAME:
                word = getattr(made, name)
                m.d.comb += [
                    received.eq(Mux(generates, word, given)),
                    sent.eq(Mux(is_link, word, shown)),
                ]
            elif name in _MARKS:
                m.d.comb += [received.eq(Mux(generates, 0, given)),
                             sent.eq(Mux(is_link, 0, shown))]
            elif name == "ctl":
                # Nothing without its valid, so it need not be taken away.
                m.d.comb += [received.eq(given), sent.eq(shown)]
            if name in (*_FRAME, *_MARKS):
                m.d.comb += getattr(checker.link, name).eq(Mux(is_internal, shown, given))
