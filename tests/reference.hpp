// What PyTorch computed: the files that reference.py writes, and models filled as it fills them.
#pragma once
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <numeric>
#include <sstream>
#include <string>

#include <xtgrad/nn/visit.hpp>
#include <xtgrad/ops/creation.hpp>
#include <xtgrad/ops/manipulation.hpp>
#include <xtgrad/tape.hpp>

namespace reference {

namespace xg = xtgrad;
using xg::Tensor;
using Named = std::map<std::string, Tensor>;

inline Tensor from_values(const xg::Shape& shape, const std::vector<double>& values) {
    return xg::detail::from_elements(xg::f64, shape, values.data());
}

/// reference.py's filled().
inline Tensor filled(const std::string& name, const xg::Shape& shape) {
    const double phase = std::accumulate(name.begin(), name.end(), 0);
    std::vector<double> values(std::size_t(std::accumulate(shape.begin(), shape.end(), xg::Index(1), std::multiplies<>())));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = 0.5 * std::sin(1.3 * double(i) + phase);
    return from_values(shape, values);
}

/// The largest difference relative to 1 + the size; infinite when shapes differ.
inline double distance(const Tensor& got, const Tensor& want) {
    if (got.shape() != want.shape()) return INFINITY;
    const Tensor dense = xg::copy(got);
    double worst = 0;
    for (std::size_t i = 0; i < got.size(); ++i) {
        const double a = dense.data<double>()[i], b = want.data<double>()[i];
        worst = std::max(worst, std::isnan(a) ? INFINITY : std::abs(a - b) / (1 + std::abs(b)));
    }
    return worst;
}

/// The lines of a folder's reference.txt by their names.
inline Named read(const std::string& folder) {
    std::ifstream in(XTGRAD_TEST_FOLDER "/" + folder + "/reference.txt");
    REQUIRE(in);
    Named result;
    for (std::string line; std::getline(in, line);) {
        const std::size_t open = line.find(" ("), close = line.find(")", open);
        std::istringstream extents(line.substr(open + 2, close - open - 2)), numbers(line.substr(close + 1));
        xg::Shape shape;
        for (std::string extent; std::getline(extents, extent, ',');) shape.push_back(std::stol(extent));
        std::vector<double> values;
        for (std::string number; numbers >> number;) values.push_back(std::stod(number));
        result[line.substr(0, open)] = from_values(shape, values);
    }
    return result;
}

/// The same, read once.
inline const Named& of(const std::string& folder) {
    static std::map<std::string, Named> files;
    const auto [at, missing] = files.try_emplace(folder);
    if (missing) at->second = read(folder);
    return at->second;
}

/// The model with each parameter filled by its name.
template <class M>
M filled_model(M model) {
    xg::nn::for_each_tensor(model, [](std::string_view name, Tensor& x, xg::nn::Role role) {
        if (role == xg::nn::Role::parameter) x = filled(std::string(name), x.shape());
    });
    return model;
}

/// Values and gradients of f(model, inputs) against all lines of the case; the inputs are filled by their names.
template <class M, class F>
void check(const Named& file, const std::string& name, const M& empty, const std::map<std::string, xg::Shape>& shapes, F f) {
    INFO(name);
    M model = filled_model(empty);
    Named inputs;
    for (const auto& [key, shape] : shapes) inputs[key] = filled(key, shape);
    std::vector<std::string> names;
    std::vector<Tensor> targets;
    for (const auto& [key, x] : xg::nn::named_parameters(model)) names.push_back(key), targets.push_back(x);
    for (const auto& [key, x] : inputs) names.push_back(key), targets.push_back(x);
    xg::Tape tape;
    const Tensor y = f(model, inputs);
    CHECK(distance(y, file.at(name + ":y")) < 1e-12);
    const std::vector<Tensor> grads = tape.vjp(y, filled("g", y.shape()), targets);
    std::size_t lines = 1;
    for (std::size_t i = 0; i < names.size(); ++i) {
        const auto line = file.find(name + ":" + names[i]);
        if (line == file.end()) continue;  // PyTorch has no gradient for it
        INFO(names[i]);
        CHECK(distance(grads[i], line->second) < 1e-12);
        ++lines;
    }
    std::size_t stored = 0;
    for (const auto& [key, x] : file) {
        const std::string part = key.substr(std::min(key.size(), name.size() + 1));
        stored += key.compare(0, name.size() + 1, name + ":") == 0 && part != "mean" && part != "variance";
    }
    CHECK(lines == stored);
}

}  // namespace reference
