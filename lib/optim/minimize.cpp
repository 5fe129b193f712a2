#include <xtgrad/optim/minimize.hpp>

#include <cmath>
#include <deque>
#include <limits>

#include <xtgrad/ops.hpp>

#include "../tensor/option.hpp"

namespace xtgrad::optim::detail {
namespace {

double scalar_product(const Tensor& a, const Tensor& b) { return dot(a, b).item<double>(); }
double largest(const Tensor& x) { return x.size() ? amax(abs(x)).item<double>() : 0; }

/// A list of tensors as one vector, and back.
Tensor packed(const Tensors& list) {
    Tensors parts;
    for (const Tensor& x : list) parts.push_back(reshape(x, {-1}));
    return parts.size() == 1 ? parts[0] : concatenate(parts);
}
Tensors unpacked(const Tensor& flat, const Tensors& like) {
    Tensors list;
    Index begin = 0;
    for (const Tensor& x : like) {
        const Index end = begin + Index(x.size());
        list.push_back(copy(reshape(view(flat, xt::range(begin, end)), x.shape())));
        begin = end;
    }
    return list;
}

class Minimizer {
public:
    Minimizer(const Objective& objective, const Tensors& x, const MinimizeOptions& options)
        : objective_(objective), options_(options), like_(x), at_(point(packed(x))) {
        if (!std::isfinite(at_.value))
            xtgrad::detail::fail<Error>("minimize", "the function is ", at_.value, " at the start; begin where it is finite");
    }

    Minimum<Tensors> run() {
        constexpr int patience = 10;
        int iterations = 0, idle = 0;
        double slope = largest(at_.gradient), lowest = at_.value, flattest = slope;
        const auto ended = [&](Stop reason) -> Minimum<Tensors> {
            return {unpacked(at_.x, like_), at_.value, unpacked(at_.gradient, like_), reason, iterations, evaluations_};
        };
        for (; slope > options_.tolerance; ++iterations) {
            if (iterations == options_.max_iterations) return ended(Stop::iterations);
            const bool moved = options_.method == newton_cg ? trusted_step() : step(quasi_newton()) || step_anew();
            if (!moved) return ended(Stop::progress);
            slope = largest(at_.gradient);
            idle = at_.value < lowest || slope < flattest ? 0 : idle + 1;
            if (idle == patience) return ended(Stop::progress);
            lowest = std::min(lowest, at_.value);
            flattest = std::min(flattest, slope);
        }
        return ended(Stop::gradient);
    }

private:
    struct Point {
        Tensor x;
        double value;
        Tensor gradient;
    };
    struct Step {
        Tensor x, gradient;
        double product;
    };

    Point point(const Tensor& x) {
        ++evaluations_;
        auto [value, gradient] = objective_.evaluate(unpacked(x, like_));
        return {x, value, packed(gradient)};
    }

    /// To a point along d where the value and the slope have fallen enough; false if there is none.
    bool step(const Tensor& d) {
        const double slope = scalar_product(at_.gradient, d);
        if (!(slope < 0)) return false;
        double low = 0, high = std::numeric_limits<double>::infinity();
        double t = steps_.empty() ? std::min(1., 1 / std::sqrt(scalar_product(d, d))) : 1;
        for (int trial = 0; trial < 60; ++trial) {
            Point next = point(at_.x + d * t);
            if (!(next.value <= at_.value + 1e-4 * t * slope))
                high = t;
            else if (scalar_product(next.gradient, d) < 0.9 * slope)
                low = t;
            else {
                remember(next);
                at_ = std::move(next);
                return true;
            }
            t = std::isfinite(high) ? (low + high) / 2 : 2 * t;
        }
        return false;
    }

    /// Down the gradient, when what is remembered leads nowhere.
    bool step_anew() {
        if (steps_.empty()) return false;
        steps_.clear();
        return step(-at_.gradient);
    }

    void remember(const Point& next) {
        const Tensor x = next.x - at_.x, gradient = next.gradient - at_.gradient;
        const double product = scalar_product(x, gradient);
        if (!(product > 0)) return;
        steps_.push_back({x, gradient, product});
        if (int(steps_.size()) > options_.history) steps_.pop_front();
    }

    /// - H^-1 g, H^-1 from the last steps: the two-loop recursion.
    Tensor quasi_newton() const {
        Tensor q = -at_.gradient;
        std::vector<double> along(steps_.size());
        for (std::size_t i = steps_.size(); i-- > 0;) {
            along[i] = scalar_product(steps_[i].x, q) / steps_[i].product;
            q = q - steps_[i].gradient * along[i];
        }
        if (!steps_.empty()) q = q * (steps_.back().product / scalar_product(steps_.back().gradient, steps_.back().gradient));
        for (std::size_t i = 0; i < steps_.size(); ++i)
            q = q + steps_[i].x * (along[i] - scalar_product(steps_[i].gradient, q) / steps_[i].product);
        return q;
    }

    /// To where a quadratic model is lowest within the radius in which it has proved right, which follows what it promised and
    /// what came of it (Conn, Gould and Toint 2000, algorithm 6.1.1); false if there is no lower point.
    bool trusted_step() {
        for (int trial = 0; trial < 60; ++trial) {
            const auto [d, promised] = within(radius_);
            const double length = std::sqrt(scalar_product(d, d));
            Point next = point(at_.x + d);
            // Where the digits of the value end, the gradient's tell.
            const bool blind = promised <= 1e-13 * std::abs(at_.value);
            const double kept =
                blind ? (largest(next.gradient) < largest(at_.gradient) ? 1. : 0.) : (at_.value - next.value) / promised;
            if (!(kept > 0.25))
                radius_ = length / 4;
            else if (kept > 0.75 && length > 0.99 * radius_)
                radius_ *= 2;
            if (kept > 1e-4) {
                at_ = std::move(next);
                return true;
            }
        }
        return false;
    }

    struct Direction {
        Tensor d;
        double promised;  ///< by how much the model falls
    };

    /// H d = -g by conjugate gradients as far as it is worth it, or to the radius, in a direction of negative curvature too
    /// (Steihaug 1983).
    Direction within(double radius) const {
        const Tensor& g = at_.gradient;
        Tensor d = zeros_like(g), residual = -g, p = residual;
        double squares = scalar_product(residual, residual);
        const double size = std::sqrt(squares), enough = std::min(0.1, std::sqrt(size)) * size;
        const auto hessian = objective_.hessian(unpacked(at_.x, like_));
        for (std::size_t i = 0, n = 2 * g.size() + 10; i < n && std::sqrt(squares) > enough; ++i) {
            const Tensor Hp = packed(hessian(unpacked(p, like_)));
            const double curvature = scalar_product(p, Hp), pp = scalar_product(p, p), dp = scalar_product(d, p);
            const double room = radius * radius - scalar_product(d, d);
            const double edge = (std::sqrt(dp * dp + pp * room) - dp) / pp;  // |d + edge p| is the radius
            double t = squares / curvature;
            const bool ends = !(curvature > 0 && t < edge);
            if (ends) t = edge;
            d = d + p * t;
            residual = residual - Hp * t;
            if (ends) break;
            const double before = std::exchange(squares, scalar_product(residual, residual));
            p = residual + p * (squares / before);
        }
        return {d, 0.5 * (scalar_product(d, residual) - scalar_product(d, g))};
    }

    const Objective& objective_;
    MinimizeOptions options_;
    Tensors like_;
    int evaluations_ = 0;
    Point at_;
    std::deque<Step> steps_;
    double radius_ = 1;
};

}  // namespace

Minimum<Tensors> minimize(const Objective& objective, const Tensors& x, const MinimizeOptions& options) {
    xtgrad::detail::check_options("minimize", {{"tolerance", options.tolerance, xtgrad::detail::not_negative},
                                               {"max_iterations", double(options.max_iterations), xtgrad::detail::not_negative},
                                               {"history", double(options.history), xtgrad::detail::not_negative}});
    const no_record pause;
    for (const Tensor& t : x) xtgrad::detail::check_floating("minimize", t);
    return Minimizer(objective, x, options).run();
}

}  // namespace xtgrad::optim::detail
