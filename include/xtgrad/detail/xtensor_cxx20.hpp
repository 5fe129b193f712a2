// What C++20 takes from xtensor before 0.26: its shapes of any rank match the template for those of a fixed one, since the
// specialization that keeps them apart is compiled in C++17 alone. Comes before the first header of xtensor's.
#pragma once
#if __has_include(<xtensor/xtensor_forward.hpp>) && defined(__cpp_template_template_args) && __cplusplus > 201703L
#ifdef __clang__
#error \
    "xtgrad: give this compiler -fno-relaxed-template-template-args, as the target xtgrad::xtgrad does, or take xtensor 0.26; see docs/pitfalls.md"
#endif
#include <xtensor/xtensor_forward.hpp>

namespace xt::detail {

template <class S>
struct xtype_for_shape;

/// The one of C++17. The clause sets it apart from the same in an xtensor that was mended.
template <template <class, std::size_t, class, bool> class S, class X, std::size_t N, class A, bool Init>
    requires(N >= 0)
struct xtype_for_shape<S<X, N, A, Init>> {  // an error here? Include xtgrad before xtensor is used: docs/pitfalls.md
    template <class T, layout_type L>
    using type = xarray<T, L>;
};

}  // namespace xt::detail
#endif
