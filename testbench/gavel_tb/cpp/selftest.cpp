// SPDX-License-Identifier: Apache-2.0
// A switch with its self-test as a shared library: it runs by itself, and software is at its
// AXI4-Lite pins.
#include <cstdint>
#include <cstring>

#include "handle.h"

namespace {

struct Sim : Handle {
    uint64_t cycles = 0;
    uint8_t* record = nullptr;
};

constexpr int kResetCycles = 8;  // At least two of every clock.
constexpr int kMostCycles = 64;  // An answer comes in far fewer.
constexpr int kNoAnswer = -1;
constexpr int kAllStrobes = 0xf;

void cycle(Sim& sim) {
    if (sim.record) {
        std::memcpy(sim.record, &sim.top->shown, sizeof sim.top->shown);
        sim.record += sizeof sim.top->shown;
    }
    sim.top->clk = 0;
    sim.top->eval();
    sim.top->clk = 1;
    sim.top->eval();
    sim.context.timeInc(1);
    ++sim.cycles;
}

// Runs until `valid` is 1; the request is withdrawn in the cycle after it was taken.
template <typename Taken, typename Valid>
bool wait(Sim& sim, Taken taken, Valid valid) {
    for (int count = 0; count < kMostCycles; ++count) {
        taken();
        if (valid()) {
            cycle(sim);
            return true;
        }
        cycle(sim);
    }
    return false;
}

}  // namespace

EXPORT void* sim_new(int argc, const char** argv) {
    Sim* const sim = opened<Sim>(argc, argv);
    sim->top->rst = 1;
    for (int count = 0; count < kResetCycles; ++count) cycle(*sim);
    sim->top->rst = 0;
    sim->cycles = 0;
    return sim;
}

EXPORT uint64_t sim_run(void* handle, uint64_t cycles) {
    Sim& sim = *static_cast<Sim*>(handle);
    for (uint64_t count = 0; count < cycles; ++count) cycle(sim);
    return sim.cycles;
}

// From now on what the ports show in each cycle, before the edge that ends it, goes to `record`.
EXPORT void sim_record(void* handle, uint8_t* record) {
    static_cast<Sim*>(handle)->record = record;
}

EXPORT int sim_shown_bytes() { return sizeof Vtop::shown; }

// Both give the response of AXI4-Lite, or kNoAnswer. Ready comes from registers alone, so what is
// given in a cycle in which it is 1 is taken at the end of that cycle.
EXPORT int sim_write(void* handle, uint32_t address, uint32_t value) {
    Sim& sim = *static_cast<Sim*>(handle);
    Vtop& top = *sim.top;
    top.s_axil_awaddr = address;
    top.s_axil_wdata = value;
    top.s_axil_wstrb = kAllStrobes;
    top.s_axil_bready = 1;
    top.s_axil_awvalid = top.s_axil_wvalid = 1;
    bool address_taken = false, data_taken = false;
    const bool answered = wait(
        sim,
        [&] {
            top.s_axil_awvalid = !address_taken;
            top.s_axil_wvalid = !data_taken;
            address_taken |= top.s_axil_awready;
            data_taken |= top.s_axil_wready;
        },
        [&] { return top.s_axil_bvalid; });
    top.s_axil_bready = top.s_axil_awvalid = top.s_axil_wvalid = 0;
    return answered ? top.s_axil_bresp : kNoAnswer;
}

EXPORT int sim_read(void* handle, uint32_t address, uint32_t* value) {
    Sim& sim = *static_cast<Sim*>(handle);
    Vtop& top = *sim.top;
    top.s_axil_araddr = address;
    top.s_axil_rready = 1;
    bool taken = false;
    int response = kNoAnswer;
    wait(
        sim,
        [&] {
            top.s_axil_arvalid = !taken;
            taken |= top.s_axil_arready;
        },
        [&] {
            if (top.s_axil_rvalid) {
                *value = top.s_axil_rdata;
                response = top.s_axil_rresp;
            }
            return top.s_axil_rvalid;
        });
    top.s_axil_rready = top.s_axil_arvalid = 0;
    return response;
}

EXPORT void sim_del(void* handle) { close<Sim>(handle); }
