#include "vectorize_numbers.hpp"

#include <xtgrad/ops.hpp>
#include <xtgrad/vectorize/dual.hpp>

#include "../kernels/parallel.hpp"
#include "../kernels/polygamma.hpp"
#include "../ops/elementwise.hpp"
#include "../tape/algebra.hpp"
#include "../tape/record.hpp"
#include "../tensor/message.hpp"

namespace xtgrad::detail {

double polygamma(int n, double x) noexcept { return kernels::polygamma(n, x); }

namespace {

using Tensors = std::vector<Tensor>;

/// A formula on its way over operands of one shape, some of which may be one number.
class Pass {
public:
    Pass(const Formula& formula, const Tensors& x, const Shape& shape)
        : formula_(formula), shape_(shape), count_(size_of(shape)), dtype_(x[0].dtype()) {
        for (const Tensor& t : x) {
            steps_.push_back(t.size() != 1);
            x_.push_back(contiguous(t.size() == 1 ? t : broadcast_to(t, shape)));
        }
    }

    Tensor value() const {
        Tensor out = result();
        each([&]<class T>(const double* x, double*, Index i) { mutable_data<T>(out)[i] = T(formula_.value(x)); });
        return out;
    }
    /// The derivatives by the arguments that are wanted, times g if there is one.
    Tensors slopes(const std::vector<bool>& wanted, const Tensor& g) const {
        Tensors out(x_.size());
        for (std::size_t i = 0; i < out.size(); ++i)
            if (wanted[i]) out[i] = result();
        const Tensor cotangent = g.defined() ? contiguous(g) : g;
        each([&]<class T>(const double* x, double* by, Index at) {
            formula_.slopes(x, by);
            const double scale = cotangent.defined() ? double(mutable_data<T>(cotangent)[at]) : 1;
            for (std::size_t i = 0; i < out.size(); ++i)
                if (wanted[i]) mutable_data<T>(out[i])[at] = T(times(scale, by[i]));
        });
        return out;
    }
    /// The tangent, of the arguments that have one.
    Tensor along(const Tensor* tangents) const {
        Tensors dense(x_.size());
        for (std::size_t i = 0; i < dense.size(); ++i)
            if (tangents[i].defined()) dense[i] = contiguous(broadcast_to(tangents[i], shape_));
        Tensor out = result();
        each([&]<class T>(const double* x, double* by, Index at) {
            double sum = 0;
            formula_.slopes(x, by);
            for (std::size_t i = 0; i < dense.size(); ++i)
                if (dense[i].defined()) sum += times(double(mutable_data<T>(dense[i])[at]), by[i]);
            mutable_data<T>(out)[at] = T(sum);
        });
        return out;
    }
    /// A derivative of any order.
    Tensor derivative(std::span<const int> by) const {
        Tensor out = result();
        each([&]<class T>(const double* x, double*, Index i) { mutable_data<T>(out)[i] = T(formula_.derivative(x, by)); });
        return out;
    }

private:
    Tensor result() const { return allocate(dtype_, shape_, "vectorize"); }

    /// f<T>(arguments, room for as many, i) for each element, in stretches whose ends do not depend on the number of threads.
    void each(auto f) const {
        constexpr Index length = 4096;
        const auto part = [&](Index i) {
            const Index begin = i * length, end = std::min(begin + length, count_);
            with_floating(dtype_, [&]<class T>(T) {
                std::vector<double> x(x_.size()), by(x_.size());
                for (Index at = begin; at < end; ++at) {
                    for (std::size_t k = 0; k < x_.size(); ++k) x[k] = mutable_data<T>(x_[k])[steps_[k] * at];
                    f.template operator()<T>(x.data(), by.data(), at);
                }
            });
        };
        const Index parts = (count_ + length - 1) / length;
        if (parts > 1)
            kernels::parallel_tasks(parts, part);
        else if (parts == 1)
            part(0);
    }

    const Formula& formula_;
    Shape shape_;
    Index count_;
    Dtype dtype_;
    Tensors x_;
    std::vector<Index> steps_;
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
        std::vector<bool> wanted(x.size());
        for (std::size_t i = 0; i < x.size(); ++i) wanted[i] = wants(need, i);
        Tensors of(x.size());
        if (fused())
            of = Pass(*formula_, x, n.shape()).slopes(wanted, g);
        else
            for (std::size_t i = 0; i < x.size(); ++i)
                if (wanted[i]) of[i] = g * further(n, i);
        for (std::size_t i = 0; i < x.size(); ++i)
            if (wanted[i]) cotangents[i] = sum_to(of[i], x[i].shape());
    }

    Tensor jvp(const Node& n, const Tensor* tangents) const override {
        const Tensors& x = n.extra->saved;
        if (fused()) return Pass(*formula_, x, n.shape()).along(tangents);
        Tensor sum;
        for (std::size_t i = 0; i < x.size(); ++i)
            if (tangents[i].defined()) accumulate(sum, tangents[i] * further(n, i));
        return sum;
    }

private:
    /// Nobody wants derivatives of this derivative, and it is the first.
    bool fused() const { return by_.empty() && !recording(); }
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
        fail<Error>("vectorize",
                    "has derivatives up to the third where conditions depend on too much to be traced; "
                    "write the formula with where, or in ops of tensors");
    const Pass pass(*formula, x, shape);
    Tensor y;
    if (by.empty()) {
        y = pass.value();
    } else if (by.size() == 1) {
        std::vector<bool> wanted(x.size());
        wanted[std::size_t(by[0])] = true;
        y = pass.slopes(wanted, {})[std::size_t(by[0])];
    } else {
        y = pass.derivative(by);
    }
    if (!recording()) return y;
    auto extra = std::make_unique<Extra>();
    for (const Tensor& t : x) extra->tags.push_back(t.block()->tag);
    extra->saved = x;
    extra->closure = std::make_unique<FormulaClosure>(formula, std::move(by));
    append(vectorize_op, y, 0, 0, 0, {}, std::move(extra));
    return y;
}

}  // namespace

Tensor vectorized_by_numbers(std::shared_ptr<const Formula> formula, const Tensors& x, const Shape& shape) {
    return derivative(formula, x, shape, {});
}

}  // namespace xtgrad::detail
