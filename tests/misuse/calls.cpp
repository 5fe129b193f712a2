// Programs that must not compile, one for each MISUSE, and what the first error must tell; calls.cmake compiles them. 0 compiles.
#include <complex>
#if MISUSE == 5
#include <xtensor/xarray.hpp>
#include <xtensor/xtensor.hpp>
inline auto used_before(const xt::xarray<double>& a) { return xt::eval(a * 2.); }
#endif

#include <xtgrad/ops.hpp>
#include <xtgrad/xtensor.hpp>

namespace xg = xtgrad;

template <class X, class Y>
concept Changed =
    requires(X&& x, const Y& y) { std::forward<X>(x) = y; } || requires(X&& x, const Y& y) { std::forward<X>(x) += y; } ||
    requires(X&& x, const Y& y) { std::forward<X>(x) -= y; } || requires(X&& x, const Y& y) { std::forward<X>(x) *= y; } ||
    requires(X&& x, const Y& y) { std::forward<X>(x) /= y; };
static_assert(Changed<xg::Tensor&, xg::Tensor> && Changed<xg::Tensor&, double> && Changed<xg::Tensor&, xt::xarray<double>>);
static_assert(!Changed<xg::Tensor, xg::Tensor> && !Changed<xg::Tensor, double> && !Changed<xg::Tensor, xt::xarray<double>>);
static_assert(!Changed<const xg::Tensor&, xg::Tensor> && !Changed<const xg::Tensor, double>);
static_assert(std::copyable<xg::Tensor> && std::is_nothrow_move_assignable_v<xg::Tensor>);

void misuse(xg::Tensor x, const xg::Tensor& y, const xt::xarray<std::complex<double>>& z) {
#if MISUSE == 1  // says: a_temporary_is_not_assigned_to_use_set_view
    xg::view(x, 0) += 1.;
#elif MISUSE == 2  // says: a_temporary_is_not_assigned_to_use_set_view
    xg::view(x, 0) = y;
#elif MISUSE == 3  // says: ignoring return
    xg::exp(x);
#elif MISUSE == 4  // says: a tensor's elements are float, double, integers or bool
    x = xg::Tensor(z);
#elif MISUSE == 5  // says: after instantiation
#else
    x += y;
    x = xg::set_view(x, xg::view(x, 0) + 1., 0);
    (void)xg::exp(x);
    (void)z;
#endif
}
