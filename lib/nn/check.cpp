#include <xtgrad/nn/check.hpp>

#include <cxxabi.h>

#include <cstdlib>

#include "../tensor/message.hpp"

namespace xtgrad::nn {

void detail::Unnamed::fail(const Tensor& x) const {
    std::string place;
    for (const Step& step : place_) {
        char* const name = abi::__cxa_demangle(step.type->name(), nullptr, nullptr, nullptr);
        place = "member " + std::to_string(step.member) + " of " + (name ? name : step.type->name()) +
                (place.empty() ? "" : ", " + place);
        std::free(name);
    }
    xtgrad::detail::fail<Error>("check_visit", place, " holds a tensor ", x.dtype(), ' ', x.shape(),
                                " that visit does not name, so it is neither trained nor saved; add field(...), with nn::buffer "
                                "for one that is not trained, or make the member const");
}

}  // namespace xtgrad::nn
