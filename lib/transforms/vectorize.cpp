#include <xtgrad/vectorize.hpp>

#include <exception>
#include <mutex>

#include <xtgrad/ops.hpp>

#include "../kernels/parallel.hpp"
#include "../ops/elementwise.hpp"
#include "../tape/algebra.hpp"
#include "../tape/record.hpp"
#include "../tensor/message.hpp"

namespace xtgrad::detail {
namespace {

using Tensors = std::vector<Tensor>;

/// Operands of one shape, cut into blocks; those of one element stay whole.
class Blocks {
public:
    Blocks(const Tensors& x, const Shape& shape) : shape_(shape), count_(size_of(shape)), dtype_(x[0].dtype()) {
        for (const Tensor& t : x)
            x_.push_back(t.size() == 1 && count_ != 1 ? contiguous(reshape(t, Shape())) : contiguous(broadcast_to(t, shape)));
    }

    /// n results of that shape: evaluate(x, results) for batches, or, where their lanes part, for each element by itself.
    Tensors run(std::size_t n, auto evaluate) const {
        Tensors out(n);
        for (Tensor& t : out) t = allocate(dtype_, shape_, "vectorize");
        const Index length = Index(block_bytes / size_of(dtype_));
        std::exception_ptr error;
        std::mutex mutex;
        const auto block = [&](Index i) {
            const Index begin = i * length, size = std::min(length, count_ - begin);
            try {
                const Unrecorded pause;
                try {
                    batch(out, begin, size, evaluate);
                } catch (const Divergent&) {
                    with_floating(dtype_, [&](auto z) { singly<decltype(z)>(out, begin, size, evaluate); });
                }
            } catch (...) {
                const std::lock_guard lock(mutex);
                error = std::current_exception();
            }
        };
        const Index blocks = (count_ + length - 1) / length;
        if (blocks > 1)
            kernels::parallel_tasks(blocks, block);
        else if (blocks == 1)
            block(0);
        if (error) std::rethrow_exception(error);
        return out;
    }

private:
    /// Of each operand and temporary: some of them fit the first cache, dozens the second.
    static constexpr std::size_t block_bytes = 16384;

    void batch(const Tensors& out, Index begin, Index size, auto& evaluate) const {
        std::vector<Batch> x, y(out.size());
        x.reserve(x_.size());
        for (const Tensor& t : x_)
            x.emplace_back(t.dimension() || count_ == 1 ? make_view(reshaped(t, {count_}), {size}, {1}, begin) : t);
        evaluate(x.data(), y.data());
        with_floating(dtype_, [&](auto z) {
            using T = decltype(z);
            for (std::size_t k = 0; k < out.size(); ++k) {
                T* to = mutable_data<T>(out[k]) + begin;
                if (y[k].is_number())
                    std::fill_n(to, size, T(y[k].number()));
                else if (y[k].lanes().size() == 1)
                    std::fill_n(to, size, y[k].lanes().template item<T>());
                else
                    std::copy_n(mutable_data<T>(contiguous(y[k].lanes())), size, to);
            }
        });
    }
    template <class T>
    void singly(const Tensors& out, Index begin, Index size, auto& evaluate) const {
        std::vector<double> x(x_.size()), y(out.size());
        for (Index e = begin; e < begin + size; ++e) {
            for (std::size_t i = 0; i < x.size(); ++i) x[i] = mutable_data<T>(x_[i])[x_[i].dimension() ? e : 0];
            evaluate(x.data(), y.data());
            for (std::size_t k = 0; k < y.size(); ++k) mutable_data<T>(out[k])[e] = T(y[k]);
        }
    }

    Shape shape_;
    Index count_;
    Dtype dtype_;
    Tensors x_;
};

/// One derivative of a formula; the formula itself, by no argument. With f_i the derivative by argument i once more:
/// x_i' = g f_i,  y. = sum x_i. f_i
Tensor derivative(const std::shared_ptr<const Formula>&, const Tensors& x, const Shape&, std::vector<int> by);

class FormulaClosure : public Closure {
public:
    FormulaClosure(std::shared_ptr<const Formula> formula, std::vector<int> by)
        : formula_(std::move(formula)), by_(std::move(by)) {}

    void vjp(const Node& n, Tensor g, Need need, Tensor* cotangents) const override {
        const Tensors& x = n.extra->saved;
        const std::size_t arity = x.size();
        if (recording() || !by_.empty()) {
            for (std::size_t i = 0; i < arity; ++i)
                if (wants(need, i)) cotangents[i] = sum_to(g * further(n, i), x[i].shape());
            return;
        }
        Tensors operands = x;
        operands.push_back(g);
        std::vector<std::size_t> wanted;
        for (std::size_t i = 0; i < arity; ++i)
            if (wants(need, i)) wanted.push_back(i);
        const auto evaluate = [&]<class V>(const V* v, V* results) {
            std::vector<V> parts(arity);
            formula_->gradient(v, parts.data());
            for (std::size_t k = 0; k < wanted.size(); ++k) results[k] = times(parts[wanted[k]], v[arity]);
        };
        Tensors of = Blocks(operands, n.shape()).run(wanted.size(), evaluate);
        for (std::size_t k = 0; k < wanted.size(); ++k) cotangents[wanted[k]] = sum_to(of[k], x[wanted[k]].shape());
    }

    Tensor jvp(const Node& n, const Tensor* tangents) const override {
        const Tensors& x = n.extra->saved;
        const std::size_t arity = x.size();
        std::vector<std::size_t> moving;
        for (std::size_t i = 0; i < arity; ++i)
            if (tangents[i].defined()) moving.push_back(i);
        if (recording() || !by_.empty()) {
            Tensor sum;
            for (const std::size_t i : moving) accumulate(sum, tangents[i] * further(n, i));
            return sum;
        }
        Tensors operands = x;
        for (const std::size_t i : moving) operands.push_back(tangents[i]);
        const auto evaluate = [&]<class V>(const V* v, V* results) {
            std::vector<V> parts(arity);
            formula_->gradient(v, parts.data());
            V sum(0);
            for (std::size_t k = 0; k < moving.size(); ++k) sum = sum + times(parts[moving[k]], v[arity + k]);
            results[0] = sum;
        };
        return Blocks(operands, n.shape()).run(1, evaluate)[0];
    }

private:
    Tensor further(const Node& n, std::size_t i) const {
        std::vector<int> by = by_;
        by.push_back(int(i));
        return derivative(formula_, n.extra->saved, n.shape(), std::move(by));
    }

    std::shared_ptr<const Formula> formula_;
    std::vector<int> by_;
};

constexpr Op vectorize_op{"vectorize", closure_vjp, closure_jvp};

Tensor derivative(const std::shared_ptr<const Formula>& formula, const Tensors& x, const Shape& shape, std::vector<int> by) {
    if (by.size() > Formula::max_order)
        fail<Error>("vectorize", "has derivatives up to the third; write the formula in ops of tensors for more");
    const auto evaluate = [&](const auto* v, auto* results) { results[0] = formula->derivative(v, by); };
    Tensor y = Blocks(x, shape).run(1, evaluate)[0];
    if (!recording()) return y;
    auto extra = std::make_unique<Extra>();
    for (const Tensor& t : x) extra->tags.push_back(t.block()->tag);
    extra->saved = x;
    extra->closure = std::make_unique<FormulaClosure>(formula, std::move(by));
    append(vectorize_op, y, 0, 0, 0, {}, std::move(extra));
    return y;
}

}  // namespace

Tensor vectorized(std::shared_ptr<const Formula> formula, Tensors x) {
    Shape shape;
    for (const Tensor& t : x) {
        check_floating("vectorize", t);
        check_same_dtype("vectorize", x[0], t);
        shape = broadcast_shapes("vectorize", shape, t.shape());
    }
    return derivative(formula, x, shape, {});
}

}  // namespace xtgrad::detail
