// Where ops draw random numbers from, so that a run can be repeated with the numbers of the first.
#pragma once
#include <span>
#include <vector>

#include <xtgrad/random.hpp>

namespace xtgrad::detail {

/// While one lives the draws of this thread are noted, or are those of notes made before; then the generators stay where they
/// are. Notes are generators that stand where a draw began, in order; whose they were does not matter. Scopes nest.
class Draws {
public:
    /// Notes them.
    explicit Draws(std::vector<Rng>& notes) noexcept;
    /// Repeats them.
    explicit Draws(std::span<const Rng> notes) noexcept;
    ~Draws();
    Draws(const Draws&) = delete;
    Draws& operator=(const Draws&) = delete;

    /// Have there been just as many draws as are noted?
    bool complete() const noexcept { return next_ == again_.size(); }

private:
    friend Rng source(const Rng&) noexcept;
    friend void advance(Rng&, const Rng&);

    Draws* const outer_;
    std::vector<Rng>* const notes_;  // null in a repetition
    std::span<const Rng> again_;
    std::size_t next_ = 0;
};

/// The generator that an op draws from when it is given rng: a copy, or what the notes say. Nothing is drawn yet.
Rng source(const Rng& rng) noexcept;
/// An op has drawn: `after` is what source(rng) gave, where it stands now.
void advance(Rng& rng, const Rng& after);

/// The seed of the generator that is split off from one like this.
std::uint64_t seed_of_split(const Rng& from) noexcept;

}  // namespace xtgrad::detail
