# SPDX-License-Identifier: Apache-2.0
"""The middle of a switch without its ports, to be measured: buffers, scheduler and crossbar."""

from dataclasses import replace

from amaranth.hdl import Cat, Module, Mux, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_rtl.block import connect, place
from gavel_rtl.crossbar import Crossbar
from gavel_rtl.ingress_buffer import IngressBuffer
from gavel_rtl.interfaces import FrameWord, Reason, SwitchWord
from gavel_rtl.scheduler import Scheduler
from gavel_rtl.voq_occupancy import NEVER

_TO_BUFFER = ("word", "empty", "verdict", "fields", "route", "ecn_threshold", "vc_limit",
              "lossless")
_FROM_BUFFER = ("count", "rx_bytes", "counted", "freed", "vc_cells")
_TO_SCHEDULER = ("allow", "hold", "claim", "weights", "strict", "bypass_limit")
_FROM_SCHEDULER = ("matched", "matched_vc", "idle")


def _part_of(component: wiring.Component, names: tuple[str, ...]) -> wiring.Signature:
    """The members of these names."""
    return wiring.Signature({name: component.signature.members[name] for name in names})


class Fabric(wiring.Component):  # type: ignore[misc]  # Amaranth carries no types
    """`IngressBuffer` of every input, `Scheduler` and `Crossbar`, wired as `Switch` wires them.

    Parameters
    ----------
    config
        P, W, V and the buffer.

    Members
    -------
    inputs
        For each input what `IngressBuffer` exchanges with its port.
    scheduling
        What `Scheduler` exchanges with the ports.
    o_word
        For each output the word in the crossbar's register.

    Cycle behaviour
    ---------------
    As docs/spec.md, chapters 7 to 9.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        self._buffers = [IngressBuffer(config) for _ in range(config.ports)]
        self._scheduler = Scheduler(config)
        super().__init__({
            "inputs": Out(_part_of(self._buffers[0], _TO_BUFFER + _FROM_BUFFER)
                          ).array(config.ports),
            "scheduling": Out(_part_of(self._scheduler, _TO_SCHEDULER + _FROM_SCHEDULER)),
            "o_word": Out(SwitchWord(config)).array(config.ports),
        })

    def elaborate(self, platform: object) -> Module:
        """The wiring."""
        m = Module()
        buffers = self._buffers
        scheduler = place(m, "scheduler", self._scheduler)
        crossbar = place(m, "crossbar", Crossbar(self._config))
        connect(m, scheduler, self.scheduling, _TO_SCHEDULER)
        connect(m, self.scheduling, scheduler, _FROM_SCHEDULER)
        for i, buffer in enumerate(buffers):
            place(m, f"buffer{i}", buffer)
            connect(m, buffer, self.inputs[i], _TO_BUFFER)
            connect(m, self.inputs[i], buffer, _FROM_BUFFER)
            connect(m, buffer.match, scheduler.match[i])
            connect(m, crossbar.i_word[i], buffer.out_word)
            connect(m, self.o_word[i], crossbar.o_word[i])
            m.d.comb += [
                scheduler.voq_ready[i].eq(buffer.voq_ready),
                scheduler.voq_next[i].eq(buffer.voq_next),
                crossbar.connect[i].eq(buffer.connect),
            ]
        m.d.comb += scheduler.ends.eq(Cat(buffer.ends for buffer in buffers))
        return m


class BareFabric(wiring.Component):  # type: ignore[misc]  # Amaranth carries no types
    """A `Fabric` with only what a switch made of FIFOs has, for comparison with one.

    What registers would set is constant: no weights, no strict priority, no ECN, no limits of VCs;
    there are no credits, no counters, and of a frame only its words leave. Nothing here needs a
    pipeline option, so it has none.

    Parameters
    ----------
    config
        P, W, V and the buffer; its pipeline options do not count.

    Members
    -------
    word, empty, length, good, output, vc
        For each input the word of cycle w, and at its end what is known of its frame; one that is
        not good is dropped. ``abort`` is not used: a stream has no frames without an end.
    hold
        P bits: no frame may be matched to the output.
    valid, sop, eop, unused, data
        For each output the word in the crossbar's register; ``unused`` is its ``empty``.

    Cycle behaviour
    ---------------
    As docs/spec.md, chapters 7 to 9.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config = replace(
            config, receive_stages=0, ingress_stages=0, match_stages=0, read_stages=0,
            egress_stages=0, launch_stages=0, gate_stages=0, control_stages=0)
        super().__init__({
            "word": In(FrameWord(config)).array(config.ports),
            "empty": In(config.empty_bits).array(config.ports),
            "length": In(config.length_bits).array(config.ports),
            "good": In(config.ports),
            "output": In(config.port_bits).array(config.ports),
            "vc": In(config.vc_bits).array(config.ports),
            "hold": In(config.ports),
            "valid": Out(config.ports),
            "sop": Out(config.ports),
            "eop": Out(config.ports),
            "unused": Out(config.empty_bits).array(config.ports),
            "data": Out(config.data_width).array(config.ports),
        })

    def elaborate(self, platform: object) -> Module:
        """The constants around the fabric."""
        config = self._config
        m = Module()
        fabric = place(m, "fabric", Fabric(config))
        m.d.comb += [
            fabric.scheduling.allow.eq(~0),
            fabric.scheduling.hold.eq(self.hold),
            fabric.scheduling.bypass_limit.eq(config.bypass_limit),
        ]
        for i, side in enumerate(fabric.inputs):
            connect(m, side.word, self.word[i], ("valid", "sop", "eop", "data"))
            bad = Value.cast(Reason.FCS)
            m.d.comb += [
                side.empty.eq(self.empty[i]),
                side.verdict.length.eq(self.length[i]),
                Value.cast(side.verdict.reason).eq(Mux(self.good[i], 0, bad)),
                side.route.hit.eq(1),
                side.route.port.eq(self.output[i]),
                side.fields.vc.eq(self.vc[i] if config.vcs > 1 else 0),
                side.ecn_threshold.eq(NEVER),
                *(limit.eq(~0) for limit in side.vc_limit),
            ]
        for j, word in enumerate(fabric.o_word):
            m.d.comb += [
                self.valid[j].eq(word.valid),
                self.sop[j].eq(word.sop),
                self.eop[j].eq(word.eop),
                self.unused[j].eq(word.empty),
                self.data[j].eq(word.data),
            ]
        return m
