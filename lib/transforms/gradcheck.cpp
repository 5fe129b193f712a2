#include <xtgrad/gradcheck.hpp>

#include <cmath>

#include <xtgrad/ops.hpp>
#include <xtgrad/random.hpp>
#include <xtgrad/tape.hpp>

#include "../tape/record.hpp"
#include "../tensor/message.hpp"

namespace xtgrad::detail {
namespace {

using List = std::vector<Tensor>;
using Function = std::function<Tensor(std::span<const Tensor>)>;

/// (f(x + h v) - f(x - h v)) / 2h for tensors
List difference(const std::function<List(const List&)>& f, const List& x, const List& v, double h) {
    List above, below;
    for (std::size_t i = 0; i < x.size(); ++i) {
        above.push_back(x[i] + v[i] * h);
        below.push_back(x[i] - v[i] * h);
    }
    List up = f(above);
    const List down = f(below);
    for (std::size_t i = 0; i < up.size(); ++i) up[i] = (up[i] - down[i]) / (2 * h);
    return up;
}

/// A step that halves the digits fairly, for a value of size 1: the cube root of the rounding error.
constexpr double step = 6e-6;

bool is_finite(const Tensor& x) { return all(isfinite(x)).item<bool>(); }

Shape position(Index flat, const Shape& shape) {
    Shape at = shape;
    for (std::size_t d = shape.size(); d-- > 0; flat /= shape[d]) at[d] = flat % shape[d];
    return at;
}

double largest(const Tensor& x) { return x.size() ? amax(abs(x)).item<double>() : 0; }

class Check {
public:
    Check(const Function& f, List x, const GradcheckOptions& options)
        : f_(f), x_(std::move(x)), options_(options), rng_(options.seed) {
        Tape tape;
        const List v = fresh(x_);
        const Tensor y = f_(v);
        check_floating("gradcheck", y);
        name_ = this_record->holds(y.block()->tag) ? (*this_record)[y.block()->tag].op->name : "the function";
        w_ = like(y);
        List size;
        for (const Tensor& t : x_) size.push_back(maximum(abs(t), 1.));
        size_ = size;
        const List around = difference([&](const List& at) { return List{Tensor(value(at))}; }, x_, size, step);
        if (!is_finite(around[0]))  // too far
            for (std::size_t i = 0; i < x_.size(); ++i) size_[i] = where(equal(x_[i], 0.), 1., abs(x_[i]));
    }

    void run() {
        const List gradient = reverse(x_);
        for (std::size_t i = 0; i < x_.size(); ++i)
            x_[i].size() <= options_.all_elements ? elements(i, gradient[i]) : directions(i, gradient[i]);
        forward();
        if (options_.second_order) second();
    }

private:
    Tensor like(const Tensor& x) {
        return uniform(x.shape(), x.dtype(), rng_, 0.5, 1.5) *
               where(uniform(x.shape(), x.dtype(), rng_) < 0.5, -1., ones_like(x));
    }

    static List fresh(const List& x) {
        List v;
        for (const Tensor& t : x) v.push_back(identity(t));
        return v;
    }

    /// The gradients of <w, f(x)>.
    List reverse(const List& x) const {
        Tape tape;
        const List v = fresh(x);
        const Tensor y = f_(v);
        if (!this_record->holds(y.block()->tag)) return zeros(x);
        return tape.vjp(y, w_, v, zeros_if_unused);
    }
    static List zeros(const List& x) {
        List z;
        for (const Tensor& t : x) z.push_back(zeros_like(t));
        return z;
    }
    double value(const List& x) const { return sum(w_ * f_(x)).item<double>(); }

    [[noreturn]] void differs(const char* mode, std::size_t argument, const Shape& at, double got, double want) const {
        fail<Error>("gradcheck", name_, ": argument ", argument, ", element ", at, ": ", mode, " gives ", got, ", differences ",
                    want, "; correct the op's rule for it");
    }
    void compare(const char* mode, std::size_t argument, const Tensor& got, const Tensor& want) const {
        if (got.shape() != want.shape())
            fail<Error>("gradcheck", name_, ": argument ", argument, ": ", mode, " has the shape ", got.shape(), ", it needs ",
                        want.shape(), "; correct the op's rule for it");
        const Tensor a = contiguous(got), b = contiguous(want);
        const double scale = 1 + largest(want);
        for (Index k = 0, n = Index(a.size()); k < n; ++k) {
            const double p = a.data<double>()[k], q = b.data<double>()[k];
            if (!(std::abs(p - q) <= options_.tolerance * scale)) differs(mode, argument, position(k, got.shape()), p, q);
        }
    }
    void check_influence(std::size_t argument, double gradient, double slope) const {
        if (gradient == 0 && slope == 0)
            fail<Error>("gradcheck", name_, ": argument ", argument, ' ', x_[argument].shape(),
                        " has no influence on the result, so zero would be compared with zero; "
                        "leave it out, or choose a point where it matters");
    }

    void elements(std::size_t i, const Tensor& gradient) {
        const Tensor dense = contiguous(x_[i]), sizes = contiguous(size_[i]), got = contiguous(gradient);
        Tensor slopes = copied(dense);
        for (Index k = 0, n = Index(dense.size()); k < n; ++k) {
            List moved = x_;
            const auto at = [&](double by) {
                moved[i] = copied(dense);
                mutable_data<double>(moved[i])[k] += by;
                return value(moved);
            };
            const auto slope = [&](double h) { return (at(h) - at(-h)) / (2 * h); };
            double& q = mutable_data<double>(slopes)[k];
            q = slope(step * sizes.data<double>()[k]);
            // Where the function bends on the scale of a small element, a smaller step is the better one.
            const double x = std::abs(dense.data<double>()[k]);
            if (k < Index(got.size()) && x < 1 && x > 0) {
                const double p = got.data<double>()[k];
                if (std::abs(p - q) <= options_.tolerance * (1 + std::abs(q))) continue;
                if (const double closer = slope(step * x); !(std::abs(p - closer) > std::abs(p - q))) q = closer;
            }
        }
        compare("the reverse mode", i, gradient, slopes);
        if (dense.size()) check_influence(i, largest(gradient), largest(slopes) < 1e-9 ? 0 : 1);
    }

    void directions(std::size_t i, const Tensor& gradient) {
        double seen = 0;
        for (std::size_t d = 0; d < options_.directions; ++d) {
            List v = zeros(x_);
            v[i] = like(x_[i]) * size_[i];
            const Tensor slope = difference([&](const List& x) { return List{Tensor(value(x))}; }, x_, v, step)[0];
            const Tensor got = sum(gradient * v[i]);
            const double p = got.item<double>(), q = slope.item<double>();
            const double scale = 1 + sum(abs(gradient * v[i])).item<double>();
            if (!(std::abs(p - q) <= options_.tolerance * scale)) {
                fail<Error>("gradcheck", name_, ": argument ", i, ' ', x_[i].shape(), ", random direction ", d,
                            ": the reverse mode gives ", p, ", differences ", q, "; check a smaller input to find the element");
            }
            seen = std::max(seen, std::abs(q) < 1e-9 ? 0 : std::abs(q));
        }
        check_influence(i, largest(gradient), seen);
    }

    List random_direction() {
        List v;
        for (std::size_t i = 0; i < x_.size(); ++i) v.push_back(like(x_[i]) * size_[i]);
        return v;
    }

    void forward() {
        const List v = random_direction();
        const List slope = difference([&](const List& x) { return List{f_(x)}; }, x_, v, step);
        compare("the forward mode", 0, tangent(v), slope[0]);
    }
    Tensor tangent(const List& v) const {
        Tape tape;
        const List x = fresh(x_);
        const Tensor y = f_(x);
        return tape.jvp(y, x, v, zeros_if_unused);
    }

    /// H v for the Hessian H of <w, f>, in three ways.
    void second() {
        const List v = random_direction();
        const List want = difference([&](const List& x) { return reverse(x); }, x_, v, step);
        const auto check = [&](const char* mode, const List& got) {
            for (std::size_t i = 0; i < got.size(); ++i) compare(mode, i, got[i], want[i]);
        };
        const auto inner_gradient = [&](const List& x) {
            Tape inner;
            const Tensor y = f_(x);
            return inner.vjp(y, w_, x, zeros_if_unused);
        };
        {
            Tape outer;
            const List x = fresh(x_), g = inner_gradient(x);
            Tensor along = sum(g[0] * v[0]);
            for (std::size_t i = 1; i < g.size(); ++i) along = along + sum(g[i] * v[i]);
            check("reverse over reverse", outer.gradient(along, x, zeros_if_unused));
        }
        {
            Tape outer(persistent);
            const List x = fresh(x_), g = inner_gradient(x);
            List product;
            for (const Tensor& t : g) product.push_back(outer.jvp(t, x, v, zeros_if_unused));
            check("forward over reverse", product);
        }
        {
            Tape outer;
            const List x = fresh(x_);
            const Tensor dy = [&] {
                Tape inner;
                const Tensor y = f_(x);
                return inner.jvp(y, x, v, zeros_if_unused);
            }();
            check("reverse over forward", outer.gradient(sum(dy * w_), x, zeros_if_unused));
        }
    }

    const Function& f_;
    List x_, size_;  // the arguments, and how far a step goes in each element
    GradcheckOptions options_;
    Rng rng_;
    Tensor w_;
    const char* name_ = nullptr;
};

}  // namespace

void gradcheck(const Function& f, std::vector<Tensor> x, const GradcheckOptions& options) {
    if (x.empty()) fail<Error>("gradcheck", "of a function without arguments; give at least one");
    for (Tensor& t : x) {
        check_defined("gradcheck", t);
        if (t.dtype() != Dtype::f64)
            fail<DtypeError>("gradcheck", "an argument is ", t.dtype(), ' ', t.shape(),
                             "; differences need f64, convert with astype(x, xg::f64)");
    }
    const no_record outside;
    Check(f, x, options).run();
}

}  // namespace xtgrad::detail
