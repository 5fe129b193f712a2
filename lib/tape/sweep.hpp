// The forward sweep of a walk: which nodes depend on the targets. After it nothing is computed that nobody asked for.
#pragma once
#include "record.hpp"

namespace xtgrad::detail {

/// The tags of a walk's targets, found by looking at each when they are few, by bisection when many. The tensors themselves
/// are the caller's, who may rebind them while the walk goes on.
class Targets {
public:
    explicit Targets(std::span<const Tensor> xs);

    /// The first target with this tag, or -1.
    int find(Tag tag) const noexcept {
        if (tag - lowest_ > highest_ - lowest_) return -1;
        return sorted_.empty() ? look(tag) : bisect(tag);
    }
    std::span<const Tag> tags() const noexcept { return {many_.empty() ? few_.data() : many_.data(), size_}; }

private:
    int look(Tag) const noexcept;
    int bisect(Tag) const noexcept;

    std::size_t size_;
    std::array<Tag, 8> few_;
    std::vector<Tag> many_;
    std::vector<std::pair<Tag, int>> sorted_;
    Tag lowest_ = ~Tag(0), highest_ = 0;
};

/// What the sweep says of a node.
enum Mark : std::uint8_t {
    from_input0 = 1,  // bit i: depends on a target through input i, of the first two
    from_input1 = 2,
    from_later = 4,  // through another input
    is_target = 8,
    poisoned = 16,  // depends on a gradient that this tape computed itself
    leads = 32,     // the result depends on it
    depends = from_input0 | from_input1 | from_later,
};

class Sweep {
public:
    /// Over the nodes of t from its beginning to y. Throws TapeError naming `op` when y cannot be differentiated by t, or,
    /// unless zeros are welcome, when a target was never seen or made after y, or when a walk that failed took what lies between.
    Sweep(const char* op, Record&, const TapeState&, const Tensor& y, std::span<const Tensor> xs, bool zeros_if_unused);

    /// Goes back from y and marks what leads to it; then uses() and first_use() are known.
    void trace();

    const Targets& targets() const noexcept { return targets_; }
    /// Slots count from the tape's beginning. y's own is the last; there is none when y is a target from elsewhere.
    std::size_t size() const noexcept { return marks_.size(); }
    std::uint8_t operator[](std::size_t slot) const noexcept { return marks_[slot]; }
    std::size_t slot(Tag tag) const noexcept { return tag - begin_; }
    Tag tag(std::size_t slot) const noexcept { return begin_ + slot; }
    bool inside(std::size_t slot) const noexcept { return slot < marks_.size(); }
    Node& node(std::size_t slot) const noexcept { return record_[begin_ + slot]; }

    /// Which inputs of the node in this slot lead to a target.
    Need need(std::size_t slot) const noexcept;
    /// How many inputs of nodes between the targets and y each slot is.
    std::vector<std::uint32_t>& uses() noexcept { return uses_; }
    /// The first node between a target and y that takes target i, named by its first tag; size() when none does.
    std::size_t first_use(std::size_t i) const noexcept { return first_use_[i]; }

private:
    void mark_nodes(const TapeState&);
    void check_targets(const char* op, const TapeState&, Tag y, std::span<const Tensor> xs) const;
    /// Throws when the walk needs what a failed one has used up.
    void check_unspent(const char* op);

    Record& record_;
    Tag begin_, end_;
    Targets targets_;
    std::vector<std::uint8_t> marks_;
    std::vector<bool> seen_;
    std::vector<std::uint32_t> uses_;
    std::vector<std::size_t> first_use_;
};

}  // namespace xtgrad::detail
