// SPDX-License-Identifier: Apache-2.0
// A simulation behind a handle that a shared library gives away.
#pragma once
#include <memory>

#include "Vtop.h"
#include "verilated.h"

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace {

struct Handle {
    VerilatedContext context;
    std::unique_ptr<Vtop> top;
};

// argv[0] is ignored; the others are plus-arguments.
template <typename Sim>
Sim* opened(int argc, const char** argv) {
    Sim* const sim = new Sim;
    sim->context.commandArgs(argc, argv);
    sim->top = std::make_unique<Vtop>(&sim->context, "");
    return sim;
}

template <typename Sim>
void close(void* handle) {
    Sim* const sim = static_cast<Sim*>(handle);
    sim->top->final();
    delete sim;
}

}  // namespace
