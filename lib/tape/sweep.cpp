#include "sweep.hpp"

#include <algorithm>

#include "../tensor/message.hpp"

namespace xtgrad::detail {

Targets::Targets(std::span<const Tensor> xs) : size_(xs.size()) {
    if (size_ > few_.size()) many_.resize(size_);
    Tag* tags = many_.empty() ? few_.data() : many_.data();
    for (std::size_t i = 0; i < size_; ++i) {
        tags[i] = xs[i].block()->tag;
        lowest_ = std::min(lowest_, tags[i]);
        highest_ = std::max(highest_, tags[i]);
    }
    if (many_.empty()) return;
    sorted_.reserve(size_);
    for (const Tag tag : many_) sorted_.emplace_back(tag, int(sorted_.size()));
    std::sort(sorted_.begin(), sorted_.end());
}

int Targets::look(Tag tag) const noexcept {
    for (std::size_t i = 0; i < size_; ++i)
        if (few_[i] == tag) return int(i);
    return -1;
}

int Targets::bisect(Tag tag) const noexcept {
    const auto at = std::lower_bound(sorted_.begin(), sorted_.end(), std::pair(tag, -1));
    return at != sorted_.end() && at->first == tag ? at->second : -1;
}

const Hole* hole_of(const TapeState& t, Tag tag) noexcept {
    for (const Hole& h : t.holes)
        if (tag - h.begin < h.end - h.begin) return &h;
    return nullptr;
}

namespace {

[[noreturn]] void fail_own_gradient(const char* op) {
    fail<TapeError>(op,
                    "the result depends on a gradient that this same tape computed, which it did not record; nest a second "
                    "Tape around this one and ask that for it");
}

}  // namespace

Sweep::Sweep(const char* op, Record& r, const TapeState& t, const Tensor& y, std::span<const Tensor> xs, bool zeros_if_unused)
    : record_(r), begin_(t.begin), end_(r.end(t)), targets_(xs) {
    const Tag tag = y.block()->tag;
    const bool recorded = tag - begin_ < end_ - begin_;
    if (!recorded && targets_.find(tag) < 0)
        fail<TapeError>(op, "the result ", y.shape(),
                        " was not computed under this tape; compute it after the tape begins, on "
                        "the tape's thread");
    if (const Hole* hole = hole_of(t, tag); recorded && hole && targets_.find(tag) < 0) {
        if (hole->own_gradient) fail_own_gradient(op);
        fail<TapeError>(op, "the result ", y.shape(), " was computed while this tape was paused; compute it outside no_record");
    }
    marks_.assign(recorded ? slot(tag) + 1 : 0, 0);
    seen_.assign(xs.size(), false);
    mark_nodes(t);
    if (recorded && marks_.back() & poisoned) fail_own_gradient(op);
    if (!zeros_if_unused) check_targets(op, t, tag, xs);
    if (t.torn) check_unspent(op);
}

void Sweep::mark_nodes(const TapeState& t) {
    Tag oldest = end_;  // target; one from before the tape is older than all
    for (const Tag tag : targets_.tags()) {
        if (inside(slot(tag))) marks_[slot(tag)] |= is_target;
        oldest = std::min(oldest, slot(tag) < end_ - begin_ ? tag : 0);
    }
    auto hole = t.holes.begin();
    for (std::size_t s = 0; s < size(); ++s) {
        if (hole != t.holes.end() && begin_ + s == hole->begin) {
            s = slot(hole++->end) - 1;
            continue;
        }
        std::uint8_t mark = marks_[s];
        unsigned bit = from_input0;
        for (const Tag tag : node(s).inputs()) {
            if (const std::size_t from = slot(tag); from < s) {
                if (marks_[from] & (depends | is_target)) mark |= bit;
                mark |= marks_[from] & poisoned;
                if (const Hole* h = t.holes.empty() ? nullptr : hole_of(t, tag); h && h->own_gradient && oldest < h->begin)
                    mark |= poisoned;  // it may depend on that target, and only its own walk knew how
            } else if (const int i = targets_.find(tag); i >= 0) {
                mark |= bit;
                seen_[std::size_t(i)] = true;
            }
            bit = bit == from_input0 ? from_input1 : from_later;
        }
        marks_[s] = mark;
    }
}

void Sweep::trace() {
    uses_.assign(size(), 0);
    first_use_.assign(seen_.size(), size());
    if (size()) marks_.back() |= leads;
    for (std::size_t s = size(); s-- > 0;) {
        if (!(marks_[s] & leads && marks_[s] & depends)) continue;
        for (const Tag tag : node(s).inputs()) {
            if (const std::size_t from = slot(tag); from < s) {
                marks_[from] |= leads;
                ++uses_[from];
                if (!(marks_[from] & is_target)) continue;
            }
            if (const int i = targets_.find(tag); i >= 0) first_use_[std::size_t(i)] = s;
        }
    }
}

void Sweep::check_targets(const char* op, const TapeState& t, Tag y, std::span<const Tensor> xs) const {
    const auto taken = [&](Tag target, Tag from) {
        for (Tag tag = from; tag < end_; ++tag) {
            if (hole_of(t, tag)) continue;
            const auto inputs = record_[tag].inputs();
            if (std::find(inputs.begin(), inputs.end(), target) != inputs.end()) return true;
        }
        return false;
    };
    for (std::size_t i = 0; i < xs.size(); ++i) {
        const Tag tag = xs[i].block()->tag;
        if (tag == y || seen_[std::size_t(targets_.find(tag))]) continue;
        const bool recorded = slot(tag) < end_ - begin_;
        if (recorded) {
            if (size() && tag > y)
                fail<TapeError>(op, "target ", i, ' ', xs[i].shape(), ' ', xs[i].dtype(),
                                " was made after the result, which cannot depend on it. Usually it is a weight that was stepped "
                                "before the walk (w -= g makes another tensor): ask for the derivative first, then step; or "
                                "pass xg::zeros_if_unused");
            if (const Hole* hole = hole_of(t, tag); !hole || hole->own_gradient) continue;
        }
        if (taken(tag, recorded ? begin_ : begin_ + size())) continue;
        fail<TapeError>(
            op, "target ", i, ' ', xs[i].shape(), ' ', xs[i].dtype(),
            " was never seen by this tape, or the loss does not depend on it. Usually it was converted, reshaped or viewed "
            "before the tape began (a view is another tensor), or the list was taken before the last optimizer "
            "step; give the very tensor that the computation uses, or pass xg::zeros_if_unused");
    }
}

void Sweep::check_unspent(const char* op) {
    trace();
    for (std::size_t s = size(); s-- > 0;)
        if (marks_[s] & leads && marks_[s] & depends && node(s).is_spent())
            fail<TapeError>(op, "the result depends on a target through [", node(s).op->name, "] ", node(s).shape(),
                            ", whose data went with a walk of this tape that failed further on; compute it again under a new "
                            "tape, or make that with xg::Tape tape(xg::persistent), which keeps everything");
}

Need Sweep::need(std::size_t slot_of_node) const noexcept {
    const std::uint8_t mark = marks_[slot_of_node];
    if (!(mark & from_later)) return mark & (from_input0 | from_input1);
    Need need = 0;
    unsigned i = 0;
    for (const Tag tag : node(slot_of_node).inputs()) {
        const std::size_t from = slot(tag);
        const bool wanted = from < slot_of_node ? marks_[from] & (depends | is_target) : targets_.find(tag) >= 0;
        if (i < 64) need |= Need(wanted) << i++;
    }
    return need;
}

}  // namespace xtgrad::detail
