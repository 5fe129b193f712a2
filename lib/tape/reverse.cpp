// The reverse walk: gradient and vjp.
#include <algorithm>

#include <xtgrad/tape.hpp>

#include "../tensor/message.hpp"
#include "algebra.hpp"
#include "walk.hpp"

namespace xtgrad {

using namespace detail;

namespace {

Tensor checked_seed(const char* op, const Tensor& y, const Tensor* cotangent) {
    if (!cotangent) {
        if (y.size() != 1)
            fail<TapeError>(op, "the result ", y.shape(),
                            " is not one element; reduce it with sum, or give a cotangent: "
                            "tape.vjp(y, g, x)");
        return constant_like(y, 1);
    }
    check_target(op, "the cotangent", *cotangent);
    if (cotangent->shape() != y.shape())
        fail<ShapeError>(op, "the cotangent ", cotangent->shape(), " needs the shape of the result, ", y.shape(),
                         "; broadcast it with broadcast_to");
    check_same_dtype(op, *cotangent, y);
    return *cotangent;
}

/// The results of a walk, finished one by one.
class Results {
public:
    Results(const Targets& targets, const Walk& walk, std::span<const Tensor> xs, const GradientOptions& options)
        : targets_(targets), walk_(walk), xs_(xs.begin(), xs.end()), of_(xs.size()), options_(options) {}

    /// Where the gradient of a target is added up.
    Tensor& of(int target) { return of_[std::size_t(target)]; }
    /// The whole gradient of a target, unless it was handed out before.
    void set(Tag tag, const Tensor& g) {
        const auto target = std::size_t(targets_.find(tag));
        if (xs_[target].defined()) of_[target] = g;
    }

    /// Nothing more will come for the targets with this tag.
    void finish(Tag tag) {
        const auto first = std::size_t(targets_.find(tag));
        if (!xs_[first].defined()) return;
        if (!of_[first].defined() && !options_.empty_if_zero) of_[first] = constant_like(xs_[first], 0);
        if (of_[first].defined()) of_[first] = walk_.result(of_[first]);
        const auto tags = targets_.tags();
        for (std::size_t i = first; i < tags.size(); ++i) {
            if (tags[i] != tag) continue;
            of_[i] = of_[first];
            xs_[i] = Tensor();  // so that the caller may hold the only one, and step in place
        }
        if (!options_.on_ready) return;
        for (std::size_t i = first; i < tags.size(); ++i)
            if (tags[i] == tag) options_.on_ready(i, of_[i]);
    }
    std::vector<Tensor>& of_targets() noexcept { return of_; }

private:
    const Targets& targets_;
    const Walk& walk_;
    std::vector<Tensor> xs_;  // those not yet finished; on_ready may rebind the caller's
    std::vector<Tensor> of_;
    const GradientOptions& options_;
};

}  // namespace

void Tape::reverse(const Tensor& y, const Tensor* cotangent, std::span<const Tensor> xs, std::span<Tensor> result,
                   const GradientOptions& options) {
    const char* op = cotangent ? "vjp" : "gradient";
    TapeState& tape = usable(op, state_);
    Record& record = *this_record;
    check_target(op, "the result", y);
    for (const Tensor& x : xs) check_target(op, "a target", x);
    Tensor seed = checked_seed(op, y, cotangent);
    Sweep sweep(op, record, tape, y, xs, options.zeros_if_unused);

    std::vector<Tensor> cotangents(sweep.size());
    std::vector<Tensor> many;

    const Targets& targets = sweep.targets();
    Walk walk(record, tape);
    Results out(targets, walk, xs, options);  // the caller's are untouched if the walk throws
    const bool release = walk.last_reader(), check = tape.check_finite;

    std::vector<std::pair<std::size_t, Tag>> complete;  // the slot after which a target gets no more; the next one last
    if (options.on_ready) {
        sweep.trace();
        for (std::size_t i = 0; i < xs.size(); ++i)
            if (sweep.first_use(i) < sweep.size()) complete.emplace_back(sweep.first_use(i), xs[i].block()->tag);
        std::sort(complete.begin(), complete.end());
    }

    // Where the cotangent of an input is added up; null where nobody wants it.
    const auto sum_of = [&](Tag input, std::size_t slot) -> Tensor* {
        if (const std::size_t from = sweep.slot(input); from < slot) return &cotangents[from];
        const int target = targets.find(input);
        return target >= 0 ? &out.of(target) : nullptr;
    };

    // The same where a part of it may be added in place; else null.
    const auto open_sum = [&](Tag input, std::size_t slot) -> const Tensor* {
        const Tensor* const sum = sum_of(input, slot);
        return sum && sum->defined() && unshared(*sum) && sum->block()->dense ? sum : nullptr;
    };

    if (sweep.size() == 0)
        out.of(targets.find(y.block()->tag)) = std::move(seed);
    else
        cotangents.back() = std::move(seed);

    for (std::size_t slot = sweep.size(); slot-- > 0;) {
        Tensor g = std::move(cotangents[slot]);
        const std::uint8_t mark = sweep[slot];
        Node& node = sweep.node(slot);
        if (mark & is_target) {
            if (g.defined()) out.set(sweep.tag(slot), g);
            if (options.on_ready) out.finish(sweep.tag(slot));
        }
        if (g.defined() && mark & depends) {
            const Need need = sweep.need(slot);
            const auto inputs = node.inputs();
            Tensor few[2];
            const bool in_parts = node.op->add_vjp && !check && !recording();
            if (const Tensor* const sum = in_parts ? open_sum(inputs[0], slot) : nullptr) {
                node.op->add_vjp(node, g, *sum);
            } else {
                Tensor* const of = room_for(inputs.size(), few, many);
                node.op->vjp(node, std::move(g), need, of);
                for (std::size_t i = 0; i < inputs.size(); ++i) {
                    if (!wants(need, i) || !of[i].defined()) continue;
                    if (node.repeats(i)) of[i] = sum_to(of[i], node.in[i].shape());
                    Tensor* const to = sum_of(inputs[i], slot);
                    if (!to) continue;
                    accumulate(*to, std::move(of[i]));
                    if (check) check_values(*node.op, "the cotangent of an input", *to);
                }
            }
            if (release) node.release();
        }
        for (; !complete.empty() && complete.back().first == slot; complete.pop_back()) {
            const Tag tag = complete.back().second;
            if (const std::size_t own = sweep.slot(tag); sweep.inside(own)) out.set(tag, cotangents[own]);
            out.finish(tag);
        }
    }
    for (const Tag tag : targets.tags()) out.finish(tag);
    std::move(out.of_targets().begin(), out.of_targets().end(), result.begin());
    walk.done();
}

}  // namespace xtgrad
