// Printing, by xtensor's own.
#include <ostream>

#include <xtgrad/xtensor.hpp>
#if __has_include(<xtensor/io/xio.hpp>)
#include <xtensor/io/xio.hpp>
#else
#include <xtensor/xio.hpp>
#endif

#include "storage.hpp"

namespace xtgrad {

std::ostream& operator<<(std::ostream& os, const Tensor& x) {
    if (!x.defined()) return os << "Tensor()";
    detail::with_element(x.dtype(), [&](auto z) {
        const auto values = x.values<decltype(z)>();
        os << values;
    });
    return os << "\nTensor " << x.dtype() << ' ' << x.shape();
}

}  // namespace xtgrad
