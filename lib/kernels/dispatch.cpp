#include <array>
#include <cstdlib>
#include <string_view>

#include "../rules/all.hpp"
#include "elementwise_table.hpp"
#include "fold.hpp"
#include "rows.hpp"

namespace xtgrad::kernels {

constinit const KernelRow* const* active_rows = nullptr;

namespace {

using Tables = std::array<const KernelRow*, rules::All::count>;

template <Isa isa, class... Family>
Tables tables_of(Families<Family...>) {
    return {elementwise_rows<Family, isa>()...};
}

struct Active {
    Isa isa;
    Tables tables;
    const RowKernels<float>* rows_f32;
    const RowKernels<double>* rows_f64;
    const FoldKernels<float>* folds_f32;
    const FoldKernels<double>* folds_f64;
    const FoldKernels<std::int64_t>* folds_i64;
    const FoldKernels<bool>* folds_boolean;

    template <Isa wanted>
    void use() noexcept {
        isa = wanted;
        tables = tables_of<wanted>(rules::All{});
        rows_f32 = &row_kernels_of<float, wanted>();
        rows_f64 = &row_kernels_of<double, wanted>();
        folds_f32 = &fold_kernels_of<float, wanted>();
        folds_f64 = &fold_kernels_of<double, wanted>();
        folds_i64 = &fold_kernels_of<std::int64_t, wanted>();
        folds_boolean = &fold_kernels_of<bool, wanted>();
    }
    void use(Isa wanted) noexcept {
        switch (wanted) {
#ifdef XTGRAD_AVX512
            case Isa::avx512: return use<Isa::avx512>();
#endif
#ifdef XTGRAD_AVX2
            case Isa::avx2: return use<Isa::avx2>();
#endif
            default: return use<Isa::baseline>();
        }
    }
    Active() noexcept {
        const char* named = std::getenv("XTGRAD_ISA");
        for (int i = 0; i < isa_count; ++i) {
            if (has(Isa(i))) use(Isa(i));
            if (named && std::string_view(named) == isa_names[i]) break;
        }
    }
};

Active& active() noexcept {
    static Active a;
    return a;
}

}  // namespace

bool has(Isa isa) noexcept {
    // The compiler's check, not xsimd's: it also asks whether the operating system saves the registers.
    switch (isa) {
        case Isa::baseline: return true;
#ifdef XTGRAD_AVX2
        case Isa::avx2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
#ifdef XTGRAD_AVX512
        case Isa::avx512:
            return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") &&
                   __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
#endif
        default: return false;
    }
}

Isa active_isa() noexcept { return active().isa; }
void use(Isa isa) noexcept { active().use(isa); }

void choose_instruction_set() noexcept { active_rows = active().tables.data(); }

template <>
const RowKernels<float>& row_kernels() noexcept {
    return *active().rows_f32;
}
template <>
const RowKernels<double>& row_kernels() noexcept {
    return *active().rows_f64;
}
template <>
const FoldKernels<float>& fold_kernels() noexcept {
    return *active().folds_f32;
}
template <>
const FoldKernels<double>& fold_kernels() noexcept {
    return *active().folds_f64;
}
template <>
const FoldKernels<std::int64_t>& fold_kernels() noexcept {
    return *active().folds_i64;
}
template <>
const FoldKernels<bool>& fold_kernels() noexcept {
    return *active().folds_boolean;
}

}  // namespace xtgrad::kernels
