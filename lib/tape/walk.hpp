// What the reverse and the forward walk share: the tape is paused while they run, and consumed by them.
#pragma once
#include "sweep.hpp"

namespace xtgrad::detail {

/// The state of a tape that may be walked now, or TapeError: another thread's, or consumed.
TapeState& usable(const char* op, TapeState*);

/// A tensor of f32 or f64 to walk from or to.
void check_target(const char* op, const char* what, const Tensor&);

class Walk {
public:
    Walk(Record& r, TapeState& t) : record_(r), tape_(t), from_(r.next) { r.pause(t); }
    ~Walk() {
        if (!tape_.persistent) record_.consume(tape_);
        record_.resume(tape_, from_, true);
    }
    Walk(const Walk&) = delete;
    Walk& operator=(const Walk&) = delete;

    /// Nobody will read the nodes again: what they save can go as the walk passes.
    bool last_reader() const noexcept { return !tape_.persistent && record_.live == 1; }

    /// A result as the tapes shall see it: a node of the outer ones, even where it is a constant, and to this one, if it goes
    /// on, its own gradient.
    Tensor result(const Tensor& x) const;

private:
    Record& record_;
    TapeState& tape_;
    Tag from_;
};

}  // namespace xtgrad::detail
