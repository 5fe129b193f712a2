#include <xtgrad/transforms/checkpoint.hpp>

#include <algorithm>
#include <unordered_set>

#include <xtgrad/tape.hpp>

#include "../ops/draws.hpp"
#include "../tape/walk.hpp"
#include "../tensor/message.hpp"
#include "fingerprint.hpp"

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
std::vector<Tag> read_by(const TapeState& tape, Tag unborn) {
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

/// What there is to know of the first run.
struct FirstRun {
    std::vector<Rng> draws;
    Fingerprint print;
};

Readings readings(const Tensors& arguments, std::span<const Tag> captured) {
    Readings all;
    for (const Tag tag : captured) all.emplace(tag, tag);
    for (std::size_t i = 0; i < arguments.size(); ++i) all.emplace(arguments[i].block()->tag, i);
    return all;
}

class CheckpointClosure : public Closure {
public:
    CheckpointClosure(Replayed f, FirstRun first) : f_(std::move(f)), first_(std::move(first)) {}

    void vjp(const Node& n, Tensor g, Need need, Tensor* cotangents) const override {
        Replay again(f_, first_, n, [&](std::size_t i) { return wants(need, i); });
        const Tensors of = again.tape.vjp(again.y, g, again.targets, EmptyIfZero{});
        for (std::size_t k = 0; k < of.size(); ++k) cotangents[again.places[k]] = of[k];
    }

    Tensor jvp(const Node& n, const Tensor* tangents) const override {
        Replay again(
            f_, first_, n, [&](std::size_t i) { return tangents[i].defined(); }, tangents);
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

        Replay(const Replayed& f, const FirstRun& first, const Node& n, auto wanted, const Tensor* like = nullptr)
            : x(fresh(n.extra->saved)) {
            const auto tags = n.inputs();
            {
                const Draws again{std::span<const Rng>(first.draws)};
                y = f(x);
                if (!again.complete()) fail_changed("it draws random numbers more or less often");
            }
            if (!holds(tape.state(), y)) fail_changed("its result no longer depends on anything");
            const Fingerprint print(tape.state(), readings(x, tags.subspan(x.size())), y);
            if (print.ops != first.print.ops)
                fail_changed(
                    "it computes with other tensors or ops: a tensor that it holds by reference was given a new value, perhaps "
                    "by an optimizer step before the backward pass, or a number or condition has changed");
            if (print.value != first.print.value)
                fail_changed(
                    "its result has other values: it reads numbers, an array or a generator other than xg::Rng that have "
                    "changed");
            for (std::size_t i = 0; i < tags.size(); ++i) {
                if (!wanted(i)) continue;
                const bool captured = i >= x.size();
                if (!captured && !is_floating(x[i].dtype())) continue;
                targets.push_back(captured ? stand_in(tags[i], like ? like[i] : y) : x[i]);
                places.push_back(i);
            }
        }
    };

    [[noreturn]] static void fail_changed(const char* how) {
        fail<TapeError>("checkpoint", "the function does not do in this walk what it did before: ", how,
                        "; let it capture by value what changes");
    }

    Replayed f_;
    FirstRun first_;
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
        std::vector<Rng> draws;
        {
            const Draws noted(draws);
            y = f(variables);
        }
        check_defined("checkpoint", y);
        for (std::size_t i = 0; i < x.size(); ++i)
            if (y.block()->tag == variables[i].block()->tag) return x[i];
        if (!holds(probe.state(), y)) return y;
        for (const Tensor& t : x) extra->tags.push_back(t.block()->tag);
        for (const Tag tag : read_by(probe.state(), unborn))
            if (std::ranges::none_of(variables, [tag](const Tensor& v) { return v.block()->tag == tag; }))
                extra->tags.push_back(tag);
        const Fingerprint print(probe.state(), readings(variables, std::span(extra->tags).subspan(x.size())), y);
        extra->closure = std::make_unique<CheckpointClosure>(std::move(f), FirstRun{std::move(draws), print});
        y = alias(y);
    }
    if (extra->tags.empty()) return y;
    extra->saved = std::move(x);
    append(checkpoint_op, y, 0, 0, 0, {}, std::move(extra));
    return y;
}

}  // namespace xtgrad::detail
