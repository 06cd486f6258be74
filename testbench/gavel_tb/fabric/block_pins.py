# SPDX-License-Identifier: Apache-2.0
"""Pins of a block of cycles that are not idle, as lists, into and out of arrays at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from gavel_fast.pin_block import (
    CTL_VALID,
    EMPTY_SHIFT,
    EOP,
    ERR,
    LANE_BITS,
    LLR,
    SOP,
    UP,
    VALID,
    InputBlock,
    OutputBlock,
)
from gavel_model.pins import RxPins, TxPins

Place = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]
"""Rows and ports."""

_new_tuple = tuple.__new__  # half the time of TxPins(...)


def fill(inputs: InputBlock, items: Iterable[tuple[int, int, RxPins]]) -> Place:
    """Puts (row, port, pins) into the receive pins; returns the places, for `clear`."""
    rows, ports, flags, seqs, ctls, words = [], [], [], [], [], []
    size = inputs.rx.data.shape[2] * LANE_BITS // 8
    for row, port, (valid, sop, eop, err, empty, llr, seq, ctl_valid, ctl, up, data) in items:
        rows.append(row)
        ports.append(port)
        flags.append(valid * VALID | sop * SOP | eop * EOP | err * ERR | llr * LLR
                     | ctl_valid * CTL_VALID | up * UP | empty << EMPTY_SHIFT)
        seqs.append(seq)
        ctls.append(ctl)
        words.append(data.to_bytes(size, "little"))
    place = np.array(rows, np.intp), np.array(ports, np.intp)
    if rows:
        inputs.rx.flags[place] = flags
        inputs.rx.seq[place] = seqs
        inputs.rx.ctl[place] = ctls
        inputs.rx.data[place] = np.frombuffer(b"".join(words), "<u8").reshape(len(rows), -1)
    return place


def clear(inputs: InputBlock, place: Place) -> None:
    """Makes pins idle again; what is not valid counts for nothing."""
    inputs.rx.flags[place] = UP


def shown(outputs: OutputBlock) -> Iterator[tuple[int, int, TxPins]]:
    """(row, port, pins) of the transmit pins that show a word or an ordered set, by rows."""
    tx = outputs.tx
    place = np.nonzero(tx.flags & (VALID | CTL_VALID))
    if not len(place[0]):
        return
    size = tx.data.shape[2] * LANE_BITS // 8
    raw = tx.data[place].astype("<u8", copy=False).tobytes()
    for number, (row, port, flags, seq, ctl) in enumerate(zip(
        place[0].tolist(), place[1].tolist(), tx.flags[place].tolist(), tx.seq[place].tolist(),
        tx.ctl[place].tolist(), strict=True,
    )):
        yield row, port, _new_tuple(TxPins, (
            flags & VALID, (flags & SOP) // SOP, (flags & EOP) // EOP, (flags & ERR) // ERR,
            flags >> EMPTY_SHIFT, (flags & LLR) // LLR, seq, (flags & CTL_VALID) // CTL_VALID, ctl,
            (flags & UP) // UP, int.from_bytes(raw[number * size:(number + 1) * size], "little"),
        ))
