# SPDX-License-Identifier: Apache-2.0
"""AXI4-Stream of W bits: its signature (docs/axi_stream.md, Pins and parameters)."""

from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gavel_model.config import SwitchConfig


class AxiStream(wiring.Signature):
    """One direction of AXI4-Stream, as its source sees it.

    Members
    -------
    tvalid, tready
        A word is there; it is taken.
    tdata, tkeep
        Bytes, and which lanes have one.
    tlast, tuser
        Last word of a frame; the frame is bad.
    """

    def __init__(self, config: SwitchConfig):
        super().__init__({
            "tvalid": Out(1),
            "tready": In(1),
            "tdata": Out(config.data_width),
            "tkeep": Out(config.word_bytes),
            "tlast": Out(1),
            "tuser": Out(1),
        })
