#include "program.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

#include "parallel.hpp"
#include "program_kernels.hpp"

namespace xtgrad::kernels {
namespace {

constexpr Index cache = 8 << 10, least_block = 64, most_block = 2048;
constexpr std::size_t local_bytes = 32 << 10;

template <class T>
Kernel kernel_of(const Instruction& i) {
    using enum Instruction::Kind;
    if (i.kind == value || i.kind == product) {
        const KernelRow& row = elementwise_kernels(i.rule);
        const OpKernels& of = sizeof(T) == 4 ? row.f32 : row.f64;
        return i.kind == value ? of.value : of.vjp[i.which];
    }
    const ProgramKernels& kernels = program_kernels<T>();
    switch (i.kind) {
        case greater: return kernels.greater;
        case greater_equal: return kernels.greater_equal;
        case equal: return kernels.equal;
        case scaled_product: return kernels.scaled_product;
        case product_of_scaled: return kernels.product_of_scaled;
        case product_sum: return kernels.product_sum;
        case sum_of_scaled: return kernels.sum_of_scaled;
        case triple_product: return kernels.triple_product;
        case exp_product: return kernels.exp_product;
        default:
            return [](Index n, void* out, const Operands& in, Numbers) {
                std::copy_n(static_cast<const T*>(in.a), n, static_cast<T*>(out));
            };
    }
}

template <class T>
std::vector<Kernel> kernels_of(const std::vector<Instruction>& code) {
    std::vector<Kernel> kernels(code.size());
    std::transform(code.begin(), code.end(), kernels.begin(), kernel_of<T>);
    return kernels;
}

/// One part's buffers, and where everything lies.
template <class T>
class Machine {
public:
    Machine(const Program& p, const Kernel* each, Index block, const void* const* inputs, void* const* outputs, T* buffers,
            T** places)
        : program_(p), each_(each), block_(block), inputs_(inputs), outputs_(outputs), places_(places) {
        places[0] = nullptr;
        for (Index i = 0; i < p.buffers; ++i) places[first_buffer() + i] = buffers + i * (block + lanes);
        for (const auto& c : p.constants) std::fill_n(places[c.buffer], block + lanes, static_cast<T>(c.value));
        for (const auto& r : p.repeated)
            std::fill_n(places[r.buffer], block + lanes, *static_cast<const T*>(inputs[r.input - 1]));
        run(p.once, kernels_of<T>(p.once).data(), block);
    }
    void range(Index begin, Index end) {
        for (Index first = begin; first < end; first += block_) {
            for (const auto i : program_.streamed) places_[i] = static_cast<T*>(const_cast<void*>(inputs_[i - 1])) + first;
            for (Index i = 0; i < program_.outputs; ++i) places_[1 + program_.inputs + i] = static_cast<T*>(outputs_[i]) + first;
            run(program_.each, each_, std::min(block_, end - first));
        }
    }

private:
    Index first_buffer() const { return 1 + program_.inputs + program_.outputs; }
    void run(const std::vector<Instruction>& code, const Kernel* kernel, Index n) {
        for (const Instruction& i : code)
            (*kernel++)(n, places_[i.out], {places_[i.a], places_[i.b], places_[i.y], places_[i.g]}, i.numbers);
    }

    const Program& program_;
    const Kernel* each_;
    Index block_;
    const void* const* inputs_;
    void* const* outputs_;
    T** places_;
};

}  // namespace

template <class T>
void run(const Program& p, Index n, const void* const* inputs, void* const* outputs) {
    if (n == 0 || p.outputs == 0) return;
    const Index streams = p.inputs + p.outputs + p.buffers, room = cache / (streams * Index(sizeof(T))) / lanes * lanes;
    const Index needed = (n + lanes - 1) / lanes * lanes;  // a small one's constants are few
    const Index block = std::min(std::clamp(room, least_block, most_block), needed);
    const Index work = n * Index(p.each.size());
    const Index parts = work < 2 * parallel_threshold ? 1 : std::clamp<Index>(n / block, 1, threads() * Index(4));
    const Index part = ((n + parts - 1) / parts + block - 1) / block * block;

    const std::vector<Kernel> each = kernels_of<T>(p.each);
    // Where a part's buffers do not fit its stack they come from here: nothing may throw in a part.
    const std::size_t of_places = (std::size_t(1 + streams) * sizeof(T*) + 63) / 64 * 64;
    const std::size_t bytes = of_places + std::size_t(p.buffers * (block + lanes)) * sizeof(T);
    std::vector<std::byte> large(bytes > local_bytes ? bytes * std::size_t(parts) : 0);
    const auto compute = [&](Index i) {
        alignas(64) std::byte local[local_bytes];
        std::byte* memory = large.empty() ? local : large.data() + std::size_t(i) * bytes;
        auto* places = reinterpret_cast<T**>(memory);
        Machine<T>(p, each.data(), block, inputs, outputs, reinterpret_cast<T*>(memory + of_places), places)
            .range(i * part, std::min(n, (i + 1) * part));
    };
    if (parts == 1)
        compute(0);
    else
        parallel_tasks((n + part - 1) / part, compute);
}

template void run<float>(const Program&, Index, const void* const*, void* const*);
template void run<double>(const Program&, Index, const void* const*, void* const*);

}  // namespace xtgrad::kernels
