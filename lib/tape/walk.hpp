// What the reverse and the forward walk share: the tape is paused while they run, and consumed when they are done.
#pragma once
#include "sweep.hpp"

namespace xtgrad::detail {

/// The state of a tape that may be walked now, or TapeError: another thread's, or consumed.
TapeState& usable(const char* op, TapeState*);

/// f(tag, node) for each node that t recorded: not those of its pauses.
void for_each_node(const TapeState& t, auto f) {
    Record& r = *t.record.load();
    auto hole = t.holes.begin();
    for (Tag tag = t.begin; tag < r.end(t); ++tag) {
        if (hole != t.holes.end() && tag == hole->begin) {
            tag = hole++->end - 1;
            continue;
        }
        f(tag, r[tag]);
    }
}

/// Did t record the op that made x?
bool holds(const TapeState& t, const Tensor& x) noexcept;
/// From now on t records nothing; what it has can still be differentiated.
void stop(TapeState& t);

/// A tensor of f32 or f64 to walk from or to.
void check_target(const char* op, const char* what, const Tensor&);

/// An undefined tensor for each input of a node: in `few` where that is room enough.
inline Tensor* room_for(std::size_t inputs, Tensor (&few)[2], std::vector<Tensor>& many) {
    if (inputs <= 2) return few;
    many.assign(inputs, Tensor());
    return many.data();
}

/// The tangent of y when x, the output of a node, moves along dx, by what any tape recorded since: not recorded itself. For rules
/// that have to know how what they are given depends on what their op made, while other tapes than the one that walks record.
Tensor recorded_tangent(const Tensor& y, const Tensor& x, const Tensor& dx);

class Walk {
public:
    Walk(Record& r, TapeState& t) : record_(r), tape_(t), from_(r.next) {
        r.pause(t);
        t.walking = !t.persistent;
    }
    ~Walk() {
        tape_.walking = false;
        if (!tape_.persistent) done_ ? record_.consume(tape_) : void(tape_.torn = true);
        record_.resume(tape_, true);
    }
    Walk(const Walk&) = delete;
    Walk& operator=(const Walk&) = delete;

    /// The walk has reached its end; unless it has, it fails, and the tape goes on without what was released.
    void done() noexcept { done_ = true; }

    /// Nobody will read the nodes again unless the walk fails: what it has used can go as it passes.
    bool last_reader() const noexcept { return !tape_.persistent && record_.alone(tape_); }

    /// A result as the tapes shall see it: a node of the outer ones, even where it is a constant, and to this one, if it goes
    /// on, its own gradient.
    Tensor result(const Tensor& x) const;

private:
    Record& record_;
    TapeState& tape_;
    Tag from_;
    bool done_ = false;
};

}  // namespace xtgrad::detail
