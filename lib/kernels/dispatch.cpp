// Which variant of the kernels runs: chosen once, at the first use.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "../rules/all.hpp"
#include "attention.hpp"
#include "dropout.hpp"
#include "elementwise_table.hpp"
#include "fold.hpp"
#include "matrix.hpp"
#include "optimizer.hpp"
#include "program_kernels.hpp"
#include "rows.hpp"

namespace xtgrad::kernels {

constinit const KernelRow* const* active_rows = nullptr;

namespace {

/// f.operator()<isa>() for the variant of this set.
template <class F>
decltype(auto) of_variant(Isa isa, F f) {
    switch (isa) {
#ifdef XTGRAD_AVX512
        case Isa::avx512: return f.template operator()<Isa::avx512>();
#endif
#ifdef XTGRAD_AVX2
        case Isa::avx2: return f.template operator()<Isa::avx2>();
#endif
        default: return f.template operator()<Isa::baseline>();
    }
}

using Tables = std::array<const KernelRow*, rules::All::count>;

template <Isa isa, class... Family>
Tables tables_of(Families<Family...>) {
    return {elementwise_rows<Family, isa>()...};
}

struct Active {
    Isa isa;
    Tables tables;

    void use(Isa wanted) noexcept {
        isa = wanted;
        tables = of_variant(wanted, []<Isa variant> { return tables_of<variant>(rules::All{}); });
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

template <class T>
const RowKernels<T>& row_kernels() noexcept {
    return of_variant(active_isa(), []<Isa isa>() -> auto& { return row_kernels_of<T, isa>(); });
}
template const RowKernels<float>& row_kernels() noexcept;
template const RowKernels<double>& row_kernels() noexcept;

template <class T>
const MatrixKernels<T>& matrix_kernels() noexcept {
    return of_variant(active_isa(), []<Isa isa>() -> auto& { return matrix_kernels_of<T, isa>(); });
}
template const MatrixKernels<float>& matrix_kernels() noexcept;
template const MatrixKernels<double>& matrix_kernels() noexcept;

template <class T>
const AttentionKernels<T>& attention_kernels() noexcept {
    return of_variant(active_isa(), []<Isa isa>() -> auto& { return attention_kernels_of<T, isa>(); });
}
template const AttentionKernels<float>& attention_kernels() noexcept;
template const AttentionKernels<double>& attention_kernels() noexcept;

template <class T>
const ProgramKernels& program_kernels() noexcept {
    return of_variant(active_isa(), []<Isa isa>() -> auto& { return program_kernels_of<T, isa>(); });
}
template const ProgramKernels& program_kernels<float>() noexcept;
template const ProgramKernels& program_kernels<double>() noexcept;

template <class T>
const DropoutKernels<T>& dropout_kernels() noexcept {
    return of_variant(active_isa(), []<Isa isa>() -> auto& { return dropout_kernels_of<T, isa>(); });
}
template const DropoutKernels<float>& dropout_kernels() noexcept;
template const DropoutKernels<double>& dropout_kernels() noexcept;

template <class T>
const OptimizerKernels<T>& optimizer_kernels() noexcept {
    return of_variant(active_isa(), []<Isa isa>() -> auto& { return optimizer_kernels_of<T, isa>(); });
}
template const OptimizerKernels<float>& optimizer_kernels() noexcept;
template const OptimizerKernels<double>& optimizer_kernels() noexcept;

template <class T>
const FoldKernels<T>& fold_kernels() noexcept {
    return of_variant(active_isa(), []<Isa isa>() -> auto& { return fold_kernels_of<T, isa>(); });
}
template const FoldKernels<float>& fold_kernels() noexcept;
template const FoldKernels<double>& fold_kernels() noexcept;
template const FoldKernels<std::int64_t>& fold_kernels() noexcept;
template const FoldKernels<bool>& fold_kernels() noexcept;

}  // namespace xtgrad::kernels
