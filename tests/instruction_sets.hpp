// Tests on each instruction set that the machine has.
#pragma once
#include <doctest/doctest.h>

#include <string>

#include "kernels/isa.hpp"

/// Calls f with each of them active in turn, and then the one that was.
template <class F>
void in_each_set(F f) {
    using namespace xtgrad::kernels;
    struct Restore {
        Isa before = active_isa();
        ~Restore() { use(before); }
    } const restore;
    for (int i = 0; i < isa_count; ++i) {
        if (!has(Isa(i))) continue;
        use(Isa(i));
        REQUIRE(active_isa() == Isa(i));
        INFO(std::string(isa_names[i]));
        f();
    }
}
