// Objectives of ADBench (Srajer, Kukelova and Fitzgibbon, A benchmark of selected algorithmic differentiation tools, 2018), in
// xtgrad's ops: a Gaussian mixture, bundle adjustment, a hand, and an LSTM.
#pragma once
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include <xtensor/xadapt.hpp>
#include <xtgrad/xtgrad.hpp>

namespace adbench {

namespace xg = xtgrad;
using xg::Index, xg::Tensor;

/// A mixture of K Gaussians in d dimensions: weights alphas (K), means (K, d), and for each the inverse of its covariance's
/// square root, icf (K, d + d (d - 1) / 2): the logarithms of a diagonal, then the columns below it.
struct Mixture {
    Tensor alphas, means, icf;
};
/// The Wishart prior of the covariances.
struct Wishart {
    double gamma;
    int m;
};

/// Where the elements of a d x d lower triangle are in a row of icf, row by row; what is above it is at the end.
inline Tensor triangle_places(Index d) {
    std::vector<std::int64_t> places(static_cast<std::size_t>(d * d), d + d * (d - 1) / 2);
    for (Index column = 0, next = d; column < d; ++column) {
        places[std::size_t(column * d + column)] = column;
        for (Index row = column + 1; row < d; ++row) places[std::size_t(row * d + column)] = next++;
    }
    return xt::adapt(places);
}

inline double log_gamma_of_degree(double a, double p) {
    double sum = 0.25 * p * (p - 1) * std::log(std::numbers::pi);
    for (int j = 1; j <= p; ++j) sum += std::lgamma(a + 0.5 * (1 - j));
    return sum;
}

/// The logarithm of the posterior of the points x (n, d).
inline Tensor gmm(const Mixture& mixture, const Tensor& x, const Wishart& prior) {
    const auto& [alphas, means, icf] = mixture;
    const Index n = x.shape(0), d = x.shape(1), k = alphas.shape(0);
    const Tensor logs = xg::view(icf, xt::all(), xt::range(0, d)), below = xg::view(icf, xt::all(), xt::range(d, icf.shape(1)));
    const Tensor diagonal = xg::exp(logs), log_det = xg::sum(logs, 1);
    const Tensor row = xg::concatenate(std::vector{diagonal, below, xg::zeros({k, 1})}, 1);
    const Tensor q = xg::reshape(xg::take(row, triangle_places(d), 1), {k, d, d});
    // q (x - mean) for all pairs of a point and a Gaussian, by one product.
    const Tensor shift = xg::matmul(q, xg::expand_dims(means, 2));
    const Tensor turned = xg::matmul(x, xg::transpose(xg::reshape(q, {k * d, d}))) - xg::reshape(shift, {k * d});
    const Tensor distances = xg::norm_sq(xg::reshape(turned, {n, k, d}), 2);
    const Tensor likelihood = xg::sum(xg::logsumexp(alphas + log_det - 0.5 * distances, 1)) - double(n) * xg::logsumexp(alphas);

    const double freedom = double(d) + prior.m + 1, square = prior.gamma * prior.gamma;
    const Tensor wishart = 0.5 * square * (xg::norm_sq(diagonal) + xg::norm_sq(below)) - double(prior.m) * xg::sum(log_det);
    const double constant = -double(n * d) * 0.5 * std::log(2 * std::numbers::pi) -
                            double(k) * (freedom * double(d) * (std::log(prior.gamma) - 0.5 * std::log(2.)) -
                                         log_gamma_of_degree(0.5 * freedom, double(d)));
    return likelihood + wishart + constant;
}

/// The columns of x (3, N) turned by the angle |r| around those of r (3, N), or around a single one (Rodrigues).
inline Tensor rotated(const Tensor& r, const Tensor& x) {
    const auto dot = [](const Tensor& a, const Tensor& b) { return xg::sum(a * b, 0); };
    const auto cross = [](const Tensor& a, const Tensor& b) {
        const auto turned = [](const Tensor& v, int by) { return xg::roll(v, by, 0); };
        return turned(a, -1) * turned(b, 1) - turned(a, 1) * turned(b, -1);
    };
    const Tensor angle = xg::sqrt(dot(r, r)), axis = r / angle;
    return x * xg::cos(angle) + cross(axis, x) * xg::sin(angle) + axis * (dot(axis, x) * (1. - xg::cos(angle)));
}

/// The weighted differences of projected points and where they were seen, (2, p): cameras (11, p) of rotation 3, centre 3, focal
/// length, principal point 2, radial distortion 2; points (3, p), weights (p), features (2, p).
inline Tensor reprojection(const Tensor& cameras, const Tensor& points, const Tensor& weights, const Tensor& features) {
    const auto part = [&](int begin, int end) { return xg::view(cameras, xt::range(begin, end)); };
    const Tensor p = rotated(part(0, 3), points - part(3, 6));
    const Tensor flat = xg::view(p, xt::range(0, 2)) / xg::view(p, 2);
    const Tensor square = xg::norm_sq(flat, 0);
    const Tensor distortion = 1. + square * (xg::view(cameras, 9) + xg::view(cameras, 10) * square);
    return weights * (flat * (distortion * xg::view(cameras, 6)) + part(7, 9) - features);
}

/// A skeleton and vertices that its bones carry: for each bone its parent, which comes before it, or -1, its base in that of its
/// parent and the inverse of its base (bones, 4, 4); positions (v, 3) and how much each bone carries of them (bones, v).
struct Hand {
    std::vector<int> parents;
    Tensor bases, inverses, positions, weights;
};

/// The places in theta of the angles by which each bone turns around x and z, (bones, 2); behind theta where it does not.
inline Tensor angle_places(Index bones) {
    std::vector<std::int64_t> places(static_cast<std::size_t>(2 * bones), 26);
    for (std::size_t finger = 0; finger < 5; ++finger)
        for (const auto& [joint, axis, angle] : {std::array<std::size_t, 3>{0, 0, 0}, {0, 1, 1}, {1, 0, 2}, {2, 0, 3}})
            places[2 * (2 + 4 * finger + joint) + axis] = std::int64_t(6 + 4 * finger + angle);
    return xg::reshape(Tensor(xt::adapt(places)), {bones, 2});
}

/// How far the vertices of a posed hand are from points, (v, 3). theta: rotation (3), translation (3), and for each of five
/// fingers the angles of three joints: that of the first around x and z, those of the others around x.
inline Tensor hand(const Tensor& theta, const Hand& model, const Tensor& points) {
    const auto count = Index(model.parents.size());
    const Tensor angles = xg::take(xg::concatenate(std::vector{theta, xg::zeros({1})}), angle_places(count));

    /// 4 x 4 matrices that turn in the plane of two axes.
    const auto turned = [&](int angle, int first, int second) {
        const auto unit = [](int i, int j) { return xg::set_view(xg::zeros({4, 4}), 1., i, j); };
        const Tensor a = xg::view(angles, xt::all(), angle, xt::newaxis(), xt::newaxis());
        const Tensor plane = unit(first, first) + unit(second, second);
        return xg::cos(a) * plane + xg::sin(a) * (unit(second, first) - unit(first, second)) + (xg::eye(4) - plane);
    };
    const Tensor relatives = xg::matmul(model.bases, xg::matmul(turned(1, 0, 1), turned(0, 1, 2)));
    std::vector<Tensor> absolutes;
    for (Index i = 0; i < count; ++i) {
        const Tensor relative = xg::view(relatives, i);
        const int parent = model.parents[std::size_t(i)];
        absolutes.push_back(parent < 0 ? relative : xg::matmul(absolutes[std::size_t(parent)], relative));
    }
    const Tensor transforms = xg::matmul(xg::stack(absolutes), model.inverses);
    const Tensor homogeneous = xg::concatenate(std::vector{xg::transpose(model.positions), xg::ones({1, points.shape(0)})});
    const Tensor carried = xg::sum(xg::matmul(transforms, homogeneous) * xg::expand_dims(model.weights, 1), 0);
    const Tensor rotation = xg::expand_dims(xg::view(theta, xt::range(0, 3)), 1);
    const Tensor posed = rotated(rotation, xg::view(carried, xt::range(0, 3)));
    return points - xg::transpose(posed) - xg::view(theta, xt::range(3, 6));
}

/// What an LSTM of several layers says of the next of a sequence (c, b), minus its mean log likelihood. `weights` (2 layers, 4
/// b): for each layer the gates' weights and then their biases; `around` (3, b): weights of the input, weights and biases of the
/// output; `state` (2 layers, b): of each layer first the hidden one, then the cell. Weights multiply element by element, as in
/// ADBench.
inline Tensor lstm(const Tensor& weights, const Tensor& around, const Tensor& state, const Tensor& sequence) {
    const Index count = sequence.shape(0), width = sequence.shape(1);
    const auto row = [](const Tensor& x, Index i) { return xg::view(x, i, xt::all()); };
    const auto rows = [&](const Tensor& x) {
        std::vector<Tensor> list;
        for (Index i = 0; i < x.shape(0); ++i) list.push_back(row(x, i));
        return list;
    };
    const std::vector<Tensor> layers = rows(weights), ends = rows(around);
    std::vector<Tensor> now = rows(state);
    Tensor total = xg::zeros({});
    for (Index t = 0; t + 1 < count; ++t) {
        Tensor x = row(sequence, t) * ends[0];
        for (std::size_t i = 0; i < now.size(); i += 2) {
            Tensor &hidden = now[i], &cell = now[i + 1];
            const auto gates = xg::split(xg::concatenate(std::vector{x, hidden, x, hidden}) * layers[i] + layers[i + 1], 4);
            cell = cell * xg::sigmoid(gates[0]) + xg::sigmoid(gates[1]) * xg::tanh(gates[3]);
            hidden = xg::sigmoid(gates[2]) * xg::tanh(cell);
            x = hidden;
        }
        const Tensor said = x * ends[1] + ends[2];
        total = total + xg::sum(row(sequence, t + 1) * (said - xg::log(xg::sum(xg::exp(said)) + 2.)));
    }
    return -total / double((count - 1) * width);
}

}  // namespace adbench
