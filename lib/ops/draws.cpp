#include "draws.hpp"

namespace xtgrad::detail {
namespace {

constinit thread_local Draws* innermost = nullptr;

}  // namespace

Draws::Draws(std::vector<Rng>& notes) noexcept : outer_(std::exchange(innermost, this)), notes_(&notes) {}
Draws::Draws(std::span<const Rng> notes) noexcept : outer_(std::exchange(innermost, this)), notes_(nullptr), again_(notes) {}
Draws::~Draws() { innermost = outer_; }

Rng source(const Rng& rng) noexcept {
    for (const Draws* d = innermost; d; d = d->outer_)
        if (!d->notes_) return d->next_ < d->again_.size() ? d->again_[d->next_] : rng;
    return rng;
}

void advance(Rng& rng, const Rng& after) {
    if (innermost) {
        const Rng from = source(rng);
        for (Draws* d = innermost; d; d = d->outer_) {
            if (!d->notes_) {
                ++d->next_;
                return;
            }
            d->notes_->push_back(from);
        }
    }
    rng.set_position(after.position());
}

std::uint64_t seed_of_split(const Rng& from) noexcept {
    const auto words = Rng::block(from.seed(), from.position());
    return std::uint64_t(words[0]) | std::uint64_t(words[1]) << 32;
}

}  // namespace xtgrad::detail
