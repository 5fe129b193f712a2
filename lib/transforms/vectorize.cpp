#include <algorithm>
#include <cstring>
#include <mutex>

#include <xtgrad/vectorize/formula.hpp>

#include "../formula/source.hpp"
#include "../ops/elementwise.hpp"
#include "../tape/algebra.hpp"
#include "../tape/record.hpp"
#include "../tensor/message.hpp"
#include "vectorize_numbers.hpp"

namespace xtgrad::detail {

/// Traces are made anew at each call, for a formula may have captured other numbers; what follows from one is kept.
struct LastTrace {
    std::mutex mutex;
    formula::Trace trace;
    std::shared_ptr<formula::Source> source;
};
std::shared_ptr<LastTrace> no_trace() { return std::make_shared<LastTrace>(); }

namespace {

using formula::Id;
using formula::Mode;
using formula::Source;
using Tensors = std::vector<Tensor>;

/// The source of a trace, perhaps of an equal one; null when there is none.
std::shared_ptr<Source> source_of(LastTrace& last, formula::Trace trace) {
    const std::lock_guard lock(last.mutex);
    const std::size_t bytes = trace.size() * sizeof(formula::Entry);
    if (last.trace.size() != trace.size() || std::memcmp(last.trace.data(), trace.data(), bytes) != 0) {
        last.source = Source::of(trace);
        last.trace = std::move(trace);
    }
    return last.source;
}

/// Is x one element, however often?
bool repeats_one(const Tensor& x) {
    Block* b = x.block();
    for (int i = 0; i < b->rank; ++i)
        if (b->shape()[i] != 1 && (!b->data || b->strides()[i] != 0)) return false;
    return true;
}

/// Some nodes of a formula for these inputs, in one pass, each a recorded op. A derivative that is zero is undefined.
Tensors evaluate(const std::shared_ptr<Source>&, Mode, Id root, const Tensors& x, std::size_t arity, const std::vector<bool>& of,
                 const Shape&);

/// x' = the cotangents that the formula's graph has for g,  y. = its tangent; both formulas again.
class TracedClosure : public Closure {
public:
    TracedClosure(std::shared_ptr<Source> source, Id root) : source_(std::move(source)), root_(root) {}

    void vjp(const Node& n, Tensor g, Need need, Tensor* cotangents) const override {
        Tensors x = n.extra->saved;
        const std::size_t arity = x.size();
        std::vector<bool> wanted(arity);
        for (std::size_t i = 0; i < arity; ++i) wanted[i] = wants(need, i);
        x.push_back(std::move(g));
        const Tensors of = evaluate(source_, Mode::cotangents, root_, x, arity, wanted, n.shape());
        for (std::size_t i = 0; i < arity; ++i)
            if (of[i].defined()) cotangents[i] = sum_to(of[i], x[i].shape());
    }
    Tensor jvp(const Node& n, const Tensor* tangents) const override {
        Tensors x = n.extra->saved;
        const std::size_t arity = x.size();
        std::vector<bool> has_one(arity);
        for (std::size_t i = 0; i < arity; ++i)
            if ((has_one[i] = tangents[i].defined())) x.push_back(tangents[i]);
        return evaluate(source_, Mode::tangent, root_, x, arity, has_one, n.shape())[0];
    }

private:
    std::shared_ptr<Source> source_;
    Id root_;
};

constexpr Op vectorize_op{"vectorize", closure_vjp, closure_jvp};

void run(const kernels::Program& program, const Tensors& x, const std::vector<bool>& repeats, const Tensors& out,
         const Shape& shape) {
    Tensors dense(x.size());
    for (const auto slot : program.streamed) dense[slot - 1] = contiguous(broadcast_to(x[slot - 1], shape));
    with_floating(x[0].dtype(), [&]<class T>(T) {
        std::vector<const T*> from(x.size());
        std::vector<T*> to;
        for (std::size_t i = 0; i < x.size(); ++i)
            if (const Tensor& t = repeats[i] ? x[i] : dense[i]; t.defined()) from[i] = mutable_data<T>(t);
        for (const Tensor& t : out)
            if (t.defined()) to.push_back(mutable_data<T>(t));
        kernels::run<T>(program, size_of(shape), from.data(), to.data());
    });
}

Tensors evaluate(const std::shared_ptr<Source>& source, Mode mode, Id root, const Tensors& x, std::size_t arity,
                 const std::vector<bool>& of, const Shape& shape) {
    std::vector<bool> repeats(x.size());
    if (size_of(shape) != 1) std::transform(x.begin(), x.end(), repeats.begin(), repeats_one);
    const formula::Plan& plan = source->plan(mode, root, arity, of, repeats);
    Tensors out(plan.roots.size());
    for (std::size_t i = 0; i < out.size(); ++i)
        if (plan.roots[i] != formula::none && plan.passed[i] < 0) out[i] = allocate(x[0].dtype(), shape, "vectorize");
    {
        const Unrecorded pause;
        run(plan.program, x, repeats, out, shape);
    }
    for (std::size_t i = 0; i < out.size(); ++i) {
        if (plan.passed[i] >= 0) {
            out[i] = x[std::size_t(plan.passed[i])];
        } else if (out[i].defined() && recording()) {
            auto extra = std::make_unique<Extra>();
            for (std::size_t k = 0; k < x.size(); ++k) {
                extra->tags.push_back(x[k].block()->tag);
                extra->saved.push_back(plan.reads[i][k] ? x[k] : ghost(x[k]));
            }
            extra->closure = std::make_unique<TracedClosure>(source, plan.roots[i]);
            append(vectorize_op, out[i], 0, 0, 0, {}, std::move(extra));
        }
    }
    return out;
}

}  // namespace

Tensor vectorized(const Formula& f, LastTrace& last, Tensors x) {
    Shape shape;
    for (const Tensor& t : x) {
        check_floating("vectorize", t);
        check_same_dtype("vectorize", x[0], t);
        shape = broadcast_shapes("vectorize", shape, t.shape());
    }
    if (auto trace = formula::trace(f, int(x.size())))
        if (const auto source = source_of(last, std::move(*trace)))
            return evaluate(source, Mode::value, source->value(), x, x.size(), {}, shape)[0];
    return vectorized_by_numbers(f.copy(), x, shape);
}

}  // namespace xtgrad::detail
