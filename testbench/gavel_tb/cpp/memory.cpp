// SPDX-License-Identifier: Apache-2.0
// What the Python in the same process needs of the simulated model: addresses of top-level
// signals, and plus-arguments that were not given when the process started.
#include <string>

#include "verilated.h"
#include "verilated_syms.h"

extern "C" __attribute__((visibility("default"))) void* gavel_signal(const char* name) {
    for (const char* scope_name : {"TOP", "gavel_harness", "TOP.gavel_harness"}) {
        const VerilatedScope* scope = Verilated::threadContextp()->scopeFind(scope_name);
        if (!scope) continue;
        const VerilatedVar* var = scope->varFind(name);
        if (var) return var->datap();
    }
    return nullptr;
}

extern "C" __attribute__((visibility("default"))) void gavel_arguments(int count,
                                                                       const char** texts) {
    Verilated::threadContextp()->commandArgsAdd(count, texts);
}
