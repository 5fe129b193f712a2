// Printing: a number as C++ does, an array by xtensor's own.
#include <concepts>
#include <ostream>

#include <xtgrad/xtensor.hpp>
#if __has_include(<xtensor/io/xio.hpp>)
#include <xtensor/io/xio.hpp>
#else
#include <xtensor/xio.hpp>
#endif

#include "storage.hpp"

namespace xtgrad::detail {

void print(std::ostream& os, const Tensor& x) {
    if (!x.defined()) {
        os << "Tensor()";
        return;
    }
    if (x.dimension() == 0) {  // a number within a line
        with_element(x.dtype(), [&](auto z) {
            using T = decltype(z);
            if constexpr (std::same_as<T, bool>)
                os << (x.item<T>() ? "true" : "false");
            else
                os << x.item<T>();
        });
        return;
    }
    with_element(x.dtype(), [&](auto z) {
        const auto values = x.values<decltype(z)>();
        os << values;
    });
    os << "\nTensor " << x.dtype() << ' ' << x.shape();
}

}  // namespace xtgrad::detail
