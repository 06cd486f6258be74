# SPDX-License-Identifier: Apache-2.0
"""Switches smaller than a user may build, for proofs."""

from __future__ import annotations

from dataclasses import dataclass

from gavel_model.config import SwitchConfig


@dataclass(frozen=True, kw_only=True)
class NarrowConfig(SwitchConfig):
    """A `SwitchConfig` without the ranges: a cell of two bytes, a sequence number of three bits.

    What follows from the parameters is as for any other switch; the RTL is the same text.
    """

    def __post_init__(self) -> None:
        """Refuses nothing."""


def narrow(*, frame_words: int = 1, replay_words: int = 5, replay_frames: int = 4,
           seq_bits: int = 3, buffer_cells: int = 16, words_per_cell: int = 1,
           vcs: int = 1) -> NarrowConfig:
    """Two ports, words of two bytes.

    Parameters
    ----------
    frame_words
        Words of the longest frame.
    replay_words, replay_frames
        Replay buffer.
    seq_bits
        S.
    buffer_cells, words_per_cell
        Cells of the ingress buffer; both buffers have cells of so many words.
    vcs
        V.
    """
    return NarrowConfig(
        ports=2, vcs=vcs, data_width=16, cell_bytes=2 * words_per_cell, buffer_cells=buffer_cells,
        max_frame_bytes=2 * frame_words, replay_cells=replay_words // words_per_cell,
        replay_frames=replay_frames, seq_bits=seq_bits, islip_iterations=1, id_entries=16,
        fdb_sets=1, fdb_ways=1)
