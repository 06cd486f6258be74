// SPDX-License-Identifier: Apache-2.0
// The switch as a shared library that runs a block of cycles at a call. Blocks are the arrays of
// gavel_fast.pin_block; layout.h says where their fields stand in the wrapper's ports.
#include <cstdint>
#include <cstring>

#include "handle.h"
#include "layout.h"

namespace {

using Head = unsigned __int128;  // The fields below the data.
static_assert(kDataAt <= 128, "the fields below the data have one word of 128 bits");

constexpr int kLaneBits = 64;
constexpr int kGroupWords = (kDataAt + kLaneBits * kLanes + kLaneBits - 1) / kLaneBits + 1;
constexpr Head kOne = 1;

struct Pins {
    uint16_t* flags;
    uint32_t* seq;
    uint64_t* ctl;
    uint64_t* data;
};

Head moved(unsigned flags, int from, int to) { return Head(flags >> from & 1) << to; }

unsigned back(Head head, int from, int to) { return unsigned(head >> from & 1) << to; }

// One port's group of bytes from row `at` of the arrays.
void put(uint8_t* group, const Pins& pins, size_t at) {
    const unsigned flags = pins.flags[at];
    const Head head = moved(flags, kValidFlag, kValidAt) | moved(flags, kSopFlag, kSopAt)
        | moved(flags, kEopFlag, kEopAt) | moved(flags, kErrFlag, kErrAt)
        | moved(flags, kLlrFlag, kLlrAt) | moved(flags, kCtlValidFlag, kCtlValidAt)
        | moved(flags, kUpFlag, kUpAt) | Head(flags >> kEmptyShift) << kEmptyAt
        | Head(pins.seq[at]) << kSeqAt | Head(pins.ctl[at]) << kCtlAt;
    uint64_t words[kGroupWords + 2] = {uint64_t(head), uint64_t(head >> kLaneBits)};
    for (int lane = 0; lane < kLanes; ++lane) {
        const uint64_t value = pins.data[at * kLanes + lane];
        const int place = kDataAt / kLaneBits + lane;
        words[place] |= value << kDataAt % kLaneBits;
        if (kDataAt % kLaneBits) words[place + 1] |= value >> (kLaneBits - kDataAt % kLaneBits);
    }
    std::memcpy(group, words, kPortBytes);
}

// Row `at` of the arrays from one port's group of bytes.
void get(const uint8_t* group, const Pins& pins, size_t at) {
    uint64_t words[kGroupWords + 2] = {};
    std::memcpy(words, group, kPortBytes);
    const Head head = Head(words[1]) << kLaneBits | words[0];
    pins.flags[at] = static_cast<uint16_t>(
        back(head, kValidAt, kValidFlag) | back(head, kSopAt, kSopFlag)
        | back(head, kEopAt, kEopFlag) | back(head, kErrAt, kErrFlag)
        | back(head, kLlrAt, kLlrFlag) | back(head, kCtlValidAt, kCtlValidFlag)
        | back(head, kUpAt, kUpFlag)
        | unsigned(head >> kEmptyAt & ((kOne << kEmptyBits) - 1)) << kEmptyShift);
    pins.seq[at] = static_cast<uint32_t>(head >> kSeqAt & ((kOne << kSeqBits) - 1));
    pins.ctl[at] = static_cast<uint64_t>(head >> kCtlAt & ((kOne << kCtlBits) - 1));
    for (int lane = 0; lane < kLanes; ++lane) {
        const int place = kDataAt / kLaneBits + lane;
        uint64_t value = words[place] >> kDataAt % kLaneBits;
        if (kDataAt % kLaneBits) value |= words[place + 1] << (kLaneBits - kDataAt % kLaneBits);
        pins.data[at * kLanes + lane] = value;
    }
}

using Sim = Handle;

}  // namespace

EXPORT void* sim_new(int argc, const char** argv) { return opened<Sim>(argc, argv); }

// in: flags, seq, ctl, data, ready, ctl_ready, register, reset; out: flags, seq, ctl, data, rdata.
// Outputs are what the pins show before the edge that samples the inputs of the same row.
EXPORT void sim_run(void* handle, uint64_t cycles, void* const* in, void* const* out) {
    Sim& sim = *static_cast<Sim*>(handle);
    Vtop& top = *sim.top;
    const Pins rx{static_cast<uint16_t*>(in[0]), static_cast<uint32_t*>(in[1]),
                  static_cast<uint64_t*>(in[2]), static_cast<uint64_t*>(in[3])};
    const Pins tx{static_cast<uint16_t*>(out[0]), static_cast<uint32_t*>(out[1]),
                  static_cast<uint64_t*>(out[2]), static_cast<uint64_t*>(out[3])};
    const auto* const ready = static_cast<const uint64_t*>(in[4]);
    const auto* const ctl_ready = static_cast<const uint64_t*>(in[5]);
    const auto* const access = static_cast<const uint64_t*>(in[6]);
    const auto* const reset = static_cast<const uint8_t*>(in[7]);
    auto* const rdata = static_cast<uint32_t*>(out[4]);
    auto* const rx_bytes = reinterpret_cast<uint8_t*>(&top.rx);
    const auto* const tx_bytes = reinterpret_cast<const uint8_t*>(&top.tx);
    for (uint64_t cycle = 0; cycle < cycles; ++cycle) {
        for (int port = 0; port < kPorts; ++port) {
            get(tx_bytes + port * kPortBytes, tx, cycle * kPorts + port);
            put(rx_bytes + port * kPortBytes, rx, cycle * kPorts + port);
        }
        rdata[cycle] = top.reg_rdata;
        top.tx_ready = ready[cycle];
        top.tx_ctl_ready = ctl_ready[cycle];
        top.reg_in = access[cycle];
        top.rst = reset[cycle];
        top.clk = 0;
        top.eval();
        top.clk = 1;
        top.eval();
        sim.context.timeInc(1);
    }
}

EXPORT void sim_del(void* handle) { close<Sim>(handle); }
