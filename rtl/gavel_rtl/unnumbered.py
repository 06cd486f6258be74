# SPDX-License-Identifier: Apache-2.0
"""What becomes of frames that get no number: before an agreement, and behind a flush."""

from amaranth.hdl import Module, Mux, Signal, Value, ValueLike
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.register_map import Action
from gavel_rtl.llr_interfaces import ComingLlrSettings


class UnnumberedFrames(wiring.Component):
    """Whether first words are sent, dropped or wait in OFF, INIT and FLUSH, and when these end
    (docs/llr.md, 6.2 and 6.4).

    Members
    -------
    coming
        Settings as visible in the next cycle.
    is_init, is_flush
        The state is this one.
    stays_off, stays_init, stays_flush
        The state of the next cycle is this one if no INIT begins, and that of this cycle is neither
        ADVANCE nor REPLAY.
    enter_init
        It is INIT. Known late.
    echo_seen
        In the next cycle, if the state is INIT then and was before, it has been answered.
    mid
        A frame has begun and not ended.
    launched
        A word stands between B and O.
    settles
        In the next cycle what was kept is released, and no restart is to be carried out or was in
        the cycle before, if the state is one of these and was in this cycle.
    lost, changed
        As of `LlrTimers`: the link has been down for PCS_LOST.
    init_waiting
        An INIT is on the pins.
    blocks
        The action in force is BLOCK.
    discards
        It is DISCARD; meaningless in a cycle in which no first word may leave.
    may_begin
        An INIT begins if O is free.
    establish
        INIT ends well.
    passes, drops, sends
        A first word leaves register B with O free; without; goes to O, if it is free. What stands
        in B may be one, or not.

    Cycle behaviour
    ---------------
    Combinational from registers; what states, settings and ``settles`` come to is put together in
    the cycle before. In the first cycle of one of these states that comes after ADVANCE or REPLAY
    there is a restart to be carried out, and nothing of it is set. After reset the state is OFF and
    LLR is not on.
    """

    coming: In(ComingLlrSettings())
    is_init: In(1)
    is_flush: In(1)
    stays_off: In(1)
    stays_init: In(1)
    stays_flush: In(1)
    enter_init: In(1)
    echo_seen: In(1)
    mid: In(1)
    launched: In(1)
    settles: In(1)
    lost: In(1)
    changed: In(1)
    init_waiting: In(1)
    blocks: Out(1)
    discards: Out(1)
    may_begin: Out(1)
    establish: Out(1)
    passes: Out(1)
    drops: Out(1)
    sends: Out(1)

    def elaborate(self, platform):
        m = Module()
        known = self._know(m)
        stays = Signal(name="stays")
        init_blocks, flush_blocks = Signal(), Signal()
        m.d.sync += [
            init_blocks.eq(self.coming.init_action >= Action.BLOCK),
            flush_blocks.eq(self.coming.flush_action >= Action.BLOCK),
        ]
        m.d.comb += [
            # A peer that is silent does not block for ever.
            self.blocks.eq((~self.lost | self.changed) & (
                (self.is_init & init_blocks) | (self.is_flush & flush_blocks))),
            self.discards.eq(known["discards"] | (known["discards_lost"] & self.lost)),
            self.may_begin.eq(~self.mid & ~self.launched & known["begins"]),
            # An INIT behind the first frames would take the peer back to the first number.
            self.establish.eq(~self.mid & ~stays),
            stays.eq(~known["answered"] | self.init_waiting),
            self.passes.eq(stays & (known["passes"] | (known["passes_lost"] & self.lost))),
            self.drops.eq(stays & (known["drops"] | (known["drops_lost"] & self.lost))),
            self.sends.eq(stays & known["sends"]),
        ]
        return m

    def _know(self, m: Module) -> dict[str, Signal]:
        """What depends on state and settings alone, with those of the next cycle."""
        settles = self.settles
        entered = self._of_state(0, 1, 0, 0)
        stayed = self._of_state(self.stays_off & settles, self.stays_init & settles,
                                self.stays_flush & settles, self.echo_seen)
        known = {name: Signal(name=f"{name}_known", init=name in ("passes", "sends"))
                 for name in stayed}
        m.d.sync += [register.eq(Mux(self.enter_init, entered[name], stayed[name]))
                     for name, register in known.items()]
        return known

    def _of_state(self, is_off: ValueLike, is_init: ValueLike, is_flush: ValueLike,
                  echo_seen: ValueLike) -> dict[str, Value]:
        """... in a state, or in none of these."""
        coming = self.coming
        off, init, flush = (Value.cast(state) for state in (is_off, is_init, is_flush))
        remote, again = coming.remote, coming.remote & coming.reinit
        in_init, in_flush = coming.init_action, coming.flush_action
        block = (init & (in_init >= Action.BLOCK)) | (flush & (in_flush >= Action.BLOCK))
        discard = (init & (in_init == Action.DISCARD)) | (flush & (in_flush == Action.DISCARD))
        # Without ``remote`` INIT ends, and FLUSH does, too, but may drop a frame before.
        passes = (off & ~remote) | (init & remote) | (flush & ~again)
        drops = (init & remote) | flush
        return {
            "discards": discard,
            "discards_lost": block,
            "begins": remote & (off | (flush & coming.reinit)),
            "answered": init & remote & echo_seen,
            "passes": passes & ~block,
            "passes_lost": passes & block,
            "drops": drops & discard,
            "drops_lost": drops & block,
            "sends": passes & ~block & ~discard,
        }
