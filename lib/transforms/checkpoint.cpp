#include <xtgrad/transforms/checkpoint.hpp>

#include <algorithm>
#include <unordered_set>

#include <xtgrad/tape.hpp>

#include "../tape/walk.hpp"
#include "../tensor/message.hpp"

namespace xtgrad::detail {
namespace {

constexpr Op checkpoint_op{"checkpoint", closure_vjp, closure_jvp};

/// Variables that only the tapes that record now know as x.
Tensors fresh(std::span<const Tensor> x) {
    Tensors variables;
    for (const Tensor& t : x) variables.push_back(identity(t));
    return variables;
}

/// The tags of what the tape's nodes read and did not make, each once; those from `unborn` on were made meanwhile.
std::vector<Tag> read_by(const TapeState& tape, Tag unborn = ~Tag(0)) {
    constexpr Tag node_bit = Tag(1) << 63;
    std::unordered_set<Tag> seen;
    std::vector<Tag> tags;
    for_each_node(tape, [&](Tag, const Node& n) {
        for (const Tag tag : n.inputs()) {
            const bool made = tag & node_bit ? tag - tape.begin < this_record->end(tape) - tape.begin : tag >= unborn;
            if (!made && seen.insert(tag).second) tags.push_back(tag);
        }
    });
    return tags;
}

/// A tensor that tapes take for the one with this tag.
Tensor stand_in(Tag tag, const Tensor& like) {
    Tensor t = ghost(like);
    t.block()->tag = tag;
    return t;
}

class CheckpointClosure : public Closure {
public:
    explicit CheckpointClosure(Replayed f) : f_(std::move(f)) {}

    void vjp(const Node& n, Tensor g, Need need, Tensor* cotangents) const override {
        Replay again(*this, n, [&](std::size_t i) { return wants(need, i); });
        const Tensors of = again.tape.vjp(again.y, g, again.targets, EmptyIfZero{});
        for (std::size_t k = 0; k < of.size(); ++k) cotangents[again.places[k]] = of[k];
    }

    Tensor jvp(const Node& n, const Tensor* tangents) const override {
        Replay again(
            *this, n, [&](std::size_t i) { return tangents[i].defined(); }, tangents);
        Tensors along;
        for (const std::size_t i : again.places) along.push_back(tangents[i]);
        return along.empty() ? Tensor() : again.tape.jvp(again.y, again.targets, along, zeros_if_unused);
    }

private:
    /// f run once more, on a tape.
    struct Replay {
        Tensors x;
        Tape tape;
        Tensor y;
        Tensors targets;
        std::vector<std::size_t> places;  // which inputs of the node they are

        Replay(const CheckpointClosure& closure, const Node& n, auto wanted, const Tensor* like = nullptr)
            : x(fresh(n.extra->saved)), y(closure.f_(x)) {
            if (!holds(tape.state(), y) || y.shape() != n.shape() || y.dtype() != n.dtype()) fail_changed();
            const std::vector<Tag> reads = read_by(tape.state());
            const std::unordered_set<Tag> seen(reads.begin(), reads.end());
            const auto tags = n.inputs();
            for (std::size_t i = 0; i < tags.size(); ++i) {
                if (!wanted(i)) continue;
                const bool captured = i >= x.size();
                if (!seen.contains(captured ? tags[i] : x[i].block()->tag)) {
                    if (captured) fail_changed();
                    continue;
                }
                if (!captured && !is_floating(x[i].dtype())) continue;
                targets.push_back(captured ? stand_in(tags[i], like ? like[i] : y) : x[i]);
                places.push_back(i);
            }
        }
    };

    [[noreturn]] static void fail_changed() {
        fail<TapeError>("checkpoint",
                        "the function does not do in this walk what it did before: a tensor that it reads was given a new value, "
                        "perhaps by an optimizer step before the backward pass, or it draws from a generator that it holds by "
                        "reference; capture both by value");
    }

    Replayed f_;
};

}  // namespace

Tensor checkpoint(Replayed f, Tensors x) {
    for (const Tensor& t : x) check_defined("checkpoint", t);
    if (!recording()) return f(x);
    Tensor y;
    auto extra = std::make_unique<Extra>();
    {
        const no_record pause;
        const Tensors variables = fresh(x);
        refill_tags();  // everything that there is has a lower one
        const Tag unborn = tags_here.next;
        const Tape probe;  // to know what f reads
        y = f(variables);
        check_defined("checkpoint", y);
        if (!holds(probe.state(), y)) return y;
        for (const Tensor& t : x) extra->tags.push_back(t.block()->tag);
        for (const Tag tag : read_by(probe.state(), unborn))
            if (std::ranges::none_of(variables, [tag](const Tensor& v) { return v.block()->tag == tag; }))
                extra->tags.push_back(tag);
        y = alias(y);
    }
    if (extra->tags.empty()) return y;
    extra->closure = std::make_unique<CheckpointClosure>(std::move(f));
    extra->saved = std::move(x);
    append(checkpoint_op, y, 0, 0, 0, {}, std::move(extra));
    return y;
}

}  // namespace xtgrad::detail
