// SPDX-License-Identifier: Apache-2.0
// A design as a shared library: all inputs of a cycle are a row of bytes, and all outputs.
#include <cstdint>
#include <cstring>

#include "handle.h"

using Sim = Handle;

EXPORT void* sim_new(int argc, const char** argv) { return opened<Sim>(argc, argv); }

// Bytes of a row of inputs, and of outputs.
EXPORT uint64_t sim_in_bytes() { return sizeof(Vtop::in_row); }
EXPORT uint64_t sim_out_bytes() { return sizeof(Vtop::out_row); }

// Outputs are what is visible with the inputs of the same row.
EXPORT void sim_run(void* handle, uint64_t cycles, const uint8_t* in, uint8_t* out) {
    Sim& sim = *static_cast<Sim*>(handle);
    Vtop& top = *sim.top;
    for (uint64_t cycle = 0; cycle < cycles; ++cycle) {
        std::memcpy(&top.in_row, in, sizeof top.in_row);
        in += sizeof top.in_row;
        top.clk = 0;
        top.eval();
        std::memcpy(out, &top.out_row, sizeof top.out_row);
        out += sizeof top.out_row;
        top.clk = 1;
        top.eval();
        sim.context.timeInc(1);
    }
}

EXPORT void sim_del(void* handle) { close<Sim>(handle); }
