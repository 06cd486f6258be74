// SPDX-License-Identifier: Apache-2.0
// Drives the wrapper with a recorded stimulus, over and over, and prints cycles and seconds.
//
// native FILE RX_BYTES READY_BYTES TX_BYTES CYCLES
// FILE holds records: rx of RX_BYTES, tx_ready and tx_ctl_ready of READY_BYTES each.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <vector>

#include "Vtop.h"
#include "verilated.h"

static void cycle(Vtop& top, VerilatedContext& context) {
    top.clk = 0;
    top.eval();
    top.clk = 1;
    top.eval();
    context.timeInc(1);
}

int main(int argc, char** argv) {
    if (argc != 6) return 2;
    std::ifstream file(argv[1], std::ios::binary);
    const std::vector<char> data((std::istreambuf_iterator<char>(file)), {});
    const size_t rx_bytes = std::strtoul(argv[2], nullptr, 10);
    const size_t ready_bytes = std::strtoul(argv[3], nullptr, 10);
    const size_t tx_bytes = std::strtoul(argv[4], nullptr, 10);
    const size_t cycles = std::strtoul(argv[5], nullptr, 10);
    const size_t record = rx_bytes + 2 * ready_bytes;
    const size_t records = data.size() / record;
    if (!records) return 2;

    VerilatedContext context;
    const auto top = std::make_unique<Vtop>(&context, "");
    top->rst = 1;
    cycle(*top, context);
    top->rst = 0;

    // Every transmit bit is read in every cycle, as a checker would.
    std::vector<char> seen(tx_bytes, 0), now(tx_bytes, 0);
    const auto begin = std::chrono::steady_clock::now();
    size_t at = 0;
    for (size_t count = 0; count < cycles; ++count) {
        const char* const inputs = data.data() + at * record;
        std::memcpy(&top->rx, inputs, rx_bytes);
        std::memcpy(&top->tx_ready, inputs + rx_bytes, ready_bytes);
        std::memcpy(&top->tx_ctl_ready, inputs + rx_bytes + ready_bytes, ready_bytes);
        cycle(*top, context);
        std::memcpy(now.data(), &top->tx, tx_bytes);
        for (size_t n = 0; n < tx_bytes; ++n) seen[n] |= now[n];
        if (++at == records) at = 0;
    }
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
    top->final();
    size_t active = 0;
    for (const char byte : seen) active += byte != 0;
    std::printf("%zu %.9f %zu\n", cycles, time.count(), active);
    return 0;
}
