// Tensors in notebooks: xeus-cling asks for mime_bundle_repr of what a cell returns, and finds this one by its argument. Not
// a part of <xtgrad/xtgrad.hpp>: it includes nlohmann/json.
#pragma once
#include <sstream>

#include <xtensor/xmime.hpp>

#include "xtensor.hpp"

namespace xtgrad {

/// "text/html": the table that xtensor shows for these values, elided as it is told by xt::print_options, under a line of dtype
/// and shape; "text/plain": what << prints.
inline nlohmann::json mime_bundle_repr(const Tensor& x) {
    std::ostringstream caption, text;
    text << x;
    caption << "<p><code>Tensor " << x.dtype() << ' ' << x.shape() << "</code></p>";
    const auto table = [&]<class T>(T) { return xt::mime_bundle_repr_impl(xt::xarray<T>(x.values<T>())); };
    nlohmann::json bundle = [&] {
        switch (x.dtype()) {
            case f32: return table(float());
            case f64: return table(double());
            case i64: return table(std::int64_t());
            default: return table(bool());
        }
    }();
    bundle["text/html"] = caption.str() + bundle["text/html"].get<std::string>();
    bundle["text/plain"] = text.str();
    return bundle;
}

}  // namespace xtgrad
