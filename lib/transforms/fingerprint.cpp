#include "fingerprint.hpp"

#include <atomic>
#include <bit>
#include <cstring>

#include "../kernels/parallel.hpp"

namespace xtgrad::detail {
namespace {

/// Words in order, mixed into one (the steps of MurmurHash3).
class Mixed {
public:
    explicit Mixed(std::uint64_t seed = 0) : state_(seed) {}
    void add(std::uint64_t word) {
        word *= 0x87c37b91114253d5;
        state_ = std::rotl(state_ ^ std::rotl(word, 31) * 0x4cf5ad432745937f, 27) * 5 + 0x52dce729;
    }
    std::uint64_t word() const {
        std::uint64_t h = state_;
        h = (h ^ h >> 33) * 0xff51afd7ed558ccd;
        h = (h ^ h >> 33) * 0xc4ceb9fe1a85ec53;
        return h ^ h >> 33;
    }

private:
    std::uint64_t state_;
};

/// The bytes in order, in parts that do not depend on the number of threads.
std::uint64_t mixed_bytes(const void* data, std::size_t bytes) {
    constexpr std::size_t length = std::size_t(1) << 16;
    std::atomic<std::uint64_t> sum{0};  // of parts, each of which knows its place
    const auto part = [&](kernels::Index i) {
        const std::size_t begin = std::size_t(i) * length, end = std::min(bytes, begin + length);
        Mixed lanes[4];
        for (std::size_t k = 0; k < 4; ++k) lanes[k] = Mixed(std::uint64_t(i) * 4 + k);
        const auto add = [&](Mixed& lane, std::size_t at, std::size_t n) {
            std::uint64_t word = 0;
            std::memcpy(&word, static_cast<const char*>(data) + at, n);
            lane.add(word);
        };
        std::size_t at = begin;
        for (; at + 32 <= end; at += 32)
            for (std::size_t k = 0; k < 4; ++k) add(lanes[k], at + 8 * k, 8);
        for (; at < end; at += 8) add(lanes[0], at, std::min<std::size_t>(8, end - at));
        std::uint64_t own = 0;
        for (const Mixed& lane : lanes) own += lane.word();
        sum += own;
    };
    const auto parts = kernels::Index((bytes + length - 1) / length);
    if (parts > 1)
        kernels::parallel_tasks(parts, part);
    else if (parts == 1)
        part(0);
    return sum;
}

}  // namespace

Fingerprint::Fingerprint(const TapeState& tape, const Readings& readings, const Tensor& y) {
    Record& record = *this_record;
    const std::size_t size = y.block()->tag - tape.begin + 1;
    const auto place = [&](Tag tag) { return tag - tape.begin < size && !hole_of(tape, tag) ? tag - tape.begin : size; };
    std::vector<bool> depends(size), leads(size);
    leads[size - 1] = true;
    // Nodes between the readings and y alone: a constant may be made in one run and kept for the next.
    for_each_node(tape, [&](Tag tag, const Node& n) {
        const std::size_t own = tag - tape.begin;
        if (own >= size) return;
        for (const Tag input : n.inputs()) {
            const std::size_t from = place(input);
            if (from < size ? depends[from] : readings.contains(input)) depends[own] = true;
        }
    });
    for (std::size_t own = size; own-- > 0;)
        if (leads[own] && depends[own] && place(tape.begin + own) < size)
            for (const Tag input : record[tape.begin + own].inputs())
                if (const std::size_t from = place(input); from < size) leads[from] = true;

    Mixed mixed;
    std::vector<std::uint64_t> number(size);  // of those nodes, from 1
    std::uint64_t count = 0;
    for_each_node(tape, [&](Tag tag, const Node& n) {
        const std::size_t own = tag - tape.begin;
        if (own >= size || !leads[own] || !depends[own]) return;
        number[own] = ++count;
        mixed.add(std::bit_cast<std::uintptr_t>(n.op));
        mixed.add(std::bit_cast<std::uint64_t>(n.attr.p));
        mixed.add(std::bit_cast<std::uint64_t>(n.attr.q));
        mixed.add(std::uint64_t(n.dtype()));
        for (const Index extent : n.shape()) mixed.add(std::uint64_t(extent));
        if (n.extra)
            for (const Index extent : n.extra->extents) mixed.add(std::uint64_t(extent));
        for (const Tag input : n.inputs()) {
            const std::size_t from = place(input);
            const auto read = readings.find(input);
            mixed.add(read != readings.end());
            mixed.add(from < size ? number[from] : read != readings.end() ? read->second : 0);
        }
    });
    ops = mixed.word();
    const Tensor dense = contiguous(y);
    value = mixed_bytes(dense.block()->data, dense.size() * size_of(dense.dtype()));
}

}  // namespace xtgrad::detail
