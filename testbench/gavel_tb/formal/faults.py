# SPDX-License-Identifier: Apache-2.0
"""Faults of blocks that the claims must notice: statements behind the block's own, which count."""

from __future__ import annotations

from amaranth.hdl import Mux

from gavel_model.register_map import Counter
from gavel_rtl.interfaces import Reason
from gavel_tb.formal.design import Design


def forgets_start(design: Design) -> None:
    """FreeList takes cells back to where it reads, and not to where the frame began."""
    design.break_it("comb", design.signal("index").eq(design.signal("read_index")))


def buffer_forgets_start(design: Design) -> None:
    """As `forgets_start`, in an ingress buffer."""
    free_list = design.part("frame_writer", "free_list")
    free_list.break_it("comb", free_list.signal("index").eq(free_list.signal("read_index")))


def takes_nothing_back(design: Design) -> None:
    """FrameWriter keeps the cells of a frame that is dropped."""
    writer = design.part("frame_writer")
    writer.break_it("sync", writer.signal("dropped").eq(0))


def loses_frame_behind_the_last(design: Design) -> None:
    """VoqLists hangs a frame behind one that leaves in the same cycle."""
    lists = design.part("voq_lists")
    lists.break_it("comb", lists.signal("becomes_head").eq(
        lists.member("enqueue") & ~lists.member("enqueue_behind")))


def never_follows(design: Design) -> None:
    """VoqLists always shows the head that was enqueued, and never the one that followed it."""
    lists = design.part("voq_lists")
    lists.break_it("sync", lists.signal("followed_is_newer").eq(0))


def reads_one_cell(design: Design) -> None:
    """The register before the cell memory always has the address of the first word of cell 0."""
    design.break_it("sync", design.signal("address_after_1").eq(0))


def ignores_hold(design: Design) -> None:
    """Output 0 is matched though it is on hold."""
    output = design.part("output0")
    output.break_it("comb", output.member("idle").eq(~output.member("busy")))


def ignores_allow(design: Design) -> None:
    """Output 0 takes frames of VC 0 that may not be sent."""
    output = design.part("output0")
    output.break_it("comb", output.signal("requests_0").eq(output.member("asks")[0]))


def asks_for_all(design: Design) -> None:
    """Output 0 takes frames of VC 0 that may not be sent, by its requests of the cycle before."""
    output = design.part("output0")
    output.break_it("sync", output.signal("requests_0").eq(output.member("asks_next")[0]))


def forgets_transfers(design: Design) -> None:
    """Output 0 is matched though it has an open transfer, if not of the cycle before."""
    output = design.part("output0")
    output.break_it("sync", output.signal("may_match").eq(
        ~output.member("hold") & ~output.member("claim")))


def forgets_who_waits(design: Design) -> None:
    """Output 0 notes nobody whom it has gone past."""
    output = design.part("output0")
    output.break_it("comb", output.member("catch_up").eq(0))


def forgets_turns(design: Design) -> None:
    """Output 0 does not know which VCs have had their turn."""
    turns = design.part("output0", "vc_turns")
    turns.break_it("comb", turns.member("turn").eq(0))


def forgets_quotas(design: Design) -> None:
    """Output 0 begins a new round with every frame, with nothing for the VCs."""
    turns = design.part("output0", "vc_turns")
    turns.break_it("comb", turns.member("quota").eq(0))


def takes_older_frames(design: Design) -> None:
    """LlrReceiver keeps what it has accepted before."""
    receiver = design.part("receiver")
    count, reason = receiver.member("count"), receiver.member("o_verdict").reason
    refused = count[Counter.LLR_RX_EXPECTED_SEQ_BAD] | count[Counter.LLR_RX_MISSING_SEQ]
    receiver.break_it("comb", reason.eq(Mux(refused, Reason.RX_LLR, Reason.FILED)))


def takes_spoilt_frames(design: Design) -> None:
    """LlrReceiver goes on behind a spoilt frame as if it had come."""
    receiver = design.part("receiver")
    count, number = receiver.member("count"), receiver.signal("next_rx")
    came = (count[Counter.LLR_RX_EXPECTED_SEQ_BAD] | count[Counter.LLR_RX_EXPECTED_SEQ_GOOD])
    receiver.break_it("sync", number.eq(number + came),
                      receiver.signal("last_rx").eq(number + came - 1),
                      receiver.signal("after_next").eq(number + came + 1))


def replays_from_where_it_reads(design: Design) -> None:
    """ReplayBuffer does not go back to the oldest frame."""
    state = design.part("transmitter", "retry_state")
    state.break_it("sync", state.member("rewind").eq(0))


def forgets_matches(design: Design) -> None:
    """CreditGate knows nothing of a frame matched in the cycle before."""
    gate = design.part("gate")
    gate.break_it("comb", gate.signal("vc0_matched_1_before").eq(0))


def forgets_matches_of_all(design: Design) -> None:
    """As `forgets_matches`, with one limit for all VCs."""
    gate = design.part("gate")
    gate.break_it("comb", gate.signal("total_matched_1_before").eq(0))


def forgets_late_matches(design: Design) -> None:
    """As `forgets_matches`, where a match comes through a register."""
    gate = design.part("gate")
    gate.break_it("sync", gate.signal("matched_before").eq(0))


def believes_everything(design: Design) -> None:
    """CreditSender takes any CF_Update, whatever it says."""
    sender = design.part("sender")
    sender.break_it("comb", *(sender.signal(name).eq(sender.signal("named_0"))
                              for name in ("resumes_0", "frees_0")))


def keeps_credits_of_dropped_frames(design: Design) -> None:
    """CreditReceiver counts a frame that was dropped as stored."""
    receiver = design.part("receiver")
    stored = receiver.member("stored")[0]
    receiver.break_it("sync", stored.eq(
        stored + receiver.signal("came_0") - receiver.signal("left_0")))


def credits_before_they_are_sent(design: Design) -> None:
    """CreditSender tells a count that is one too high."""
    sender = design.part("sender")
    consumed, half_credits = sender.member("consumed")[0], sender.signal("taken_0")
    sender.break_it("sync", consumed.eq(
        consumed + Mux(half_credits == 0, 0, (half_credits + 1)[1:] + 1)))


def checks_no_acks(design: Design) -> None:
    """OrderedSetReader takes every check of an ACK for right."""
    reader = design.part("reader")
    reader.break_it("sync", reader.member("received").ack.eq(reader.signal("is_ack")))


def checks_no_credits(design: Design) -> None:
    """OrderedSetReader takes every check of a CF_Update for right."""
    reader = design.part("reader")
    reader.break_it("comb", reader.signal("credits_guarded").eq(1))


def withdraws_answers(design: Design) -> None:
    """AxiLite shows the answer to a write for one cycle."""
    bvalid = design.member("axil").bvalid
    design.break_it("sync", bvalid.eq(~bvalid & design.signal("begin_write")))


def forgets_what_it_read(design: Design) -> None:
    """AxiLite shows what was read for one cycle."""
    design.break_it("sync", design.signal("held").eq(0))


def answers_too_soon(design: Design) -> None:
    """AxiLite does not wait for registers around the register port."""
    design.break_it("sync", design.member("axil").rvalid.eq(design.signal("fetching")[0]))


def writes_parts(design: Design) -> None:
    """AxiLite takes any strobes for all."""
    design.break_it("comb", design.member("bus").we.eq(design.signal("begin_write")))


def never_copies(design: Design) -> None:
    """FrozenCounters believes that it has copied what it has not."""
    design.break_it("comb", design.signal("copies_now").eq(0))


def copies_again(design: Design) -> None:
    """FrozenCounters does not know which counters it has copied."""
    design.break_it("sync", design.signal("copied").eq(0))


def offers_words_once(design: Design) -> None:
    """TelemetryStream goes on whether a word is taken or not."""
    design.break_it("comb", design.signal("taken").eq(design.member("axis").tvalid))


def makes_records_at_any_time(design: Design) -> None:
    """TelemetryStream puts a record in the place of one that is being sent."""
    design.break_it("comb", design.signal("made").eq(design.signal("due")))
