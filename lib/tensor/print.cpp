// Printing, by xtensor's own.
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
    with_element(x.dtype(), [&](auto z) {
        const auto values = x.values<decltype(z)>();
        os << values;
    });
    os << "\nTensor " << x.dtype() << ' ' << x.shape();
}

}  // namespace xtgrad::detail
