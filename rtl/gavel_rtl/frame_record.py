# SPDX-License-Identifier: Apache-2.0
"""One value for each outstanding frame, that of the oldest at hand."""

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig
from gavel_rtl.lib.collisions import NO_COLLISION
from gavel_rtl.voq import one_word_frames


def frame_index_bits(config: SwitchConfig) -> int:
    """Width of the index of what is kept for each outstanding frame: low bits of the number before
    its own, which is known sooner."""
    return (config.replay_frames - 1).bit_length()


def frame_count_bits(config: SwitchConfig) -> int:
    """Width of a number of frames outstanding or waiting."""
    return config.replay_frames.bit_length()


class FrameRecord(wiring.Component):
    """Keeps a value of each frame from its first transmission on until it is acknowledged.

    The memory is read where the next ACK may make a frame the oldest, before it is known whether
    it does: so its value is a register in the first cycle in which the frame is the oldest. With
    ``receive_stages`` = 1 and W < 512 there is time for a register right behind the memory, which
    is slow.

    Parameters
    ----------
    config
        W, ``replay_frames``, ``receive_stages``.
    bits
        Width of the value.

    Members
    -------
    coming
        Index of the frame that an ACK of the next cycle would make the oldest.
    coming_next
        With ``receive_stages`` = 1: ``coming`` of the next cycle.
    accepted
        An ACK or NACK is accepted in this cycle.
    drained
        ``oldest`` becomes the frame that is launched next for the first time, or is being launched.
    leaves
        If not, it is another frame outstanding; meaningless with neither.
    numbered, newest_frame
        A frame has been launched for the first time, and its index.
    value
        Of this frame.
    following
        Of the frame that is launched next for the first time, or is being launched.
    oldest
        Of the oldest frame outstanding, or with none of the next one.

    Cycle behaviour
    ---------------
    What happens in a cycle shows in the next.
    """

    def __init__(self, config: SwitchConfig, bits: int):
        self._index = frame_index_bits(config)
        self._bits = bits
        self._early = bool(config.receive_stages) and not one_word_frames(config)
        super().__init__({
            "coming": In(self._index),
            "coming_next": In(self._index),
            "accepted": In(1),
            "drained": In(1),
            "leaves": In(1),
            "numbered": In(1),
            "newest_frame": In(self._index),
            "value": In(bits),
            "following": In(bits),
            "oldest": Out(bits),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.values = values = Memory(
            shape=self._bits, depth=1 << self._index, init=[], attrs=NO_COLLISION)
        write, read = values.write_port(), values.read_port()
        # What is read is not used if the frame was written in the cycle, or before what is read of
        # it counts: then it is what was written.
        found: Value = read.data
        before, written_earlier = Signal(self._bits), Signal()
        just_written = Signal()
        if self._early:
            found = Signal(self._bits, name="found", reset_less=True)
            m.d.sync += [
                found.eq(read.data),
                written_earlier.eq(self._writes(self.coming_next)),
            ]
        # Frames of two words or more are not written in two cycles in a row.
        with m.If(~written_earlier):
            m.d.sync += before.eq(self.value)
        m.d.comb += [
            write.addr.eq(self.newest_frame),
            write.data.eq(self.value),
            write.en.eq(self.numbered),
            read.addr.eq(self.coming_next if self._early else self.coming),
        ]
        m.d.sync += just_written.eq(written_earlier | self._writes(self.coming))
        with m.If(self.drained | self.accepted):
            m.d.sync += self.oldest.eq(Mux(
                self.leaves & ~just_written, found,
                Mux(self.leaves, before, self.following)))
        return m

    def _writes(self, index: Value) -> Value:
        """The frame of this index is written in this cycle."""
        return self.numbered & (index == self.newest_frame)
