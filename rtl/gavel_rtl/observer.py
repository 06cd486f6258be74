# SPDX-License-Identifier: Apache-2.0
"""What telemetry sees of the outputs: which VCs have frames, could be served, and are."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig


class Observer(wiring.Component):
    """That part of the observation of a port that no port knows alone (docs/telemetry.md,
    What is observed).

    Parameters
    ----------
    config
        P and V.

    Members
    -------
    voq_shown
        For each input P*V bits: its VOQ j*V + v is shown.
    reading
        For each input P bits, one-hot: the output that a word is read for; 0 if none is.
    done
        P bits: the input's open transfer reads its last word in this cycle.
    matched_vc
        For each output V bits, one-hot: VC of a match in this cycle; 0 without one.
    shown, startable, sending
        For each output V bits: an input shows the VC's VOQ; one that is free does; a word of the
        VC is read.

    Cycle behaviour
    ---------------
    Combinational; only the VC of the match before is kept.
    """

    def __init__(self, config: SwitchConfig):
        self._config = config
        ports, vcs = config.ports, config.vcs
        super().__init__({
            "voq_shown": In(config.voqs).array(ports),
            "reading": In(ports).array(ports),
            "done": In(ports),
            "matched_vc": In(vcs).array(ports),
            "shown": Out(vcs).array(ports),
            "startable": Out(vcs).array(ports),
            "sending": Out(vcs).array(ports),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        ports, vcs = self._config.ports, self._config.vcs
        inputs_free = Signal(ports)
        m.d.comb += inputs_free.eq(self.done | ~Cat(reading.any() for reading in self.reading))
        for j in range(ports):
            vc = Signal(vcs, name=f"vc_{j}")
            with m.If(self.matched_vc[j].any()):
                m.d.sync += vc.eq(self.matched_vc[j])
            m.d.comb += self.sending[j].eq(
                Mux(Cat(reading[j] for reading in self.reading).any(), vc, 0))
            for v in range(vcs):
                inputs = Signal(ports, name=f"inputs_{j}_{v}")
                m.d.comb += [
                    inputs.eq(Cat(ready[j * vcs + v] for ready in self.voq_shown)),
                    self.shown[j][v].eq(inputs.any()),
                    self.startable[j][v].eq((inputs & inputs_free).any()),
                ]
        return m
