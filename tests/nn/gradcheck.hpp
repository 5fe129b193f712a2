// Derivatives of modules against differences, by their inputs and all of their parameters.
#pragma once
#include <xtgrad/gradcheck.hpp>
#include <xtgrad/nn/visit.hpp>

/// f(model, inputs), of which the parameters and the inputs vary.
template <class M, class F>
void gradcheck(const M& model, std::vector<xtgrad::Tensor> inputs, F f) {
    namespace xg = xtgrad;
    const auto own = std::ptrdiff_t(inputs.size());
    for (const xg::Tensor& p : xg::nn::parameters(model)) inputs.push_back(p);
    xg::detail::gradcheck(
        [&](std::span<const xg::Tensor> v) {
            M changed = model;
            auto next = v.begin() + own;
            xg::nn::for_each_tensor(changed, [&](std::string_view, xg::Tensor& x, xg::nn::Role role) {
                if (role == xg::nn::Role::parameter) x = *next++;
            });
            return f(changed, std::vector(v.begin(), v.begin() + own));
        },
        inputs, {});
}

/// model(x)
template <class M>
void gradcheck(const M& model, const xtgrad::Tensor& x) {
    gradcheck(model, {x}, [](const M& m, const std::vector<xtgrad::Tensor>& v) { return m(v[0]); });
}
