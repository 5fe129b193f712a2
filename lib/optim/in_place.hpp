// Tensors that a pass changes.
#pragma once
#include <span>

#include "../kernels/optimizer.hpp"
#include "../tensor/message.hpp"
#include "../tensor/storage.hpp"

namespace xtgrad::optim::detail {

/// Where the new values of x are read and written: in x itself when nobody else sees it, else in a fresh tensor.
struct InPlace {
    Tensor from, to;

    explicit InPlace(Tensor& x) {
        if (xtgrad::detail::unshared(x) && x.block()->dense) {
            to = std::move(x);
            to.block()->tag = xtgrad::detail::fresh_tag();
            from = to;
        } else {
            from = xtgrad::detail::contiguous(x);
            to = xtgrad::detail::allocate_like(x);
        }
    }
};

/// While it lives, of the fields that hold one tensor the first alone does, so that a pass may change it in place; then all hold
/// what that has become.
class Alone {
public:
    Alone(Tensor& first, std::span<Tensor* const> others) : first_(first), others_(others) {
        for (Tensor* other : others_) *other = Tensor();
    }
    ~Alone() {
        for (Tensor* other : others_) *other = first_;
    }
    Alone(const Alone&) = delete;
    Alone& operator=(const Alone&) = delete;

private:
    Tensor& first_;
    std::span<Tensor* const> others_;
};

/// x = f(begin, end, from, to), in parts.
template <class T>
void change(Tensor& x, auto f) {
    InPlace place(x);
    const T* from = xtgrad::detail::mutable_data<T>(place.from);
    T* to = xtgrad::detail::mutable_data<T>(place.to);
    kernels::parallel_ranges(xtgrad::detail::element_count(place.to), kernels::optimizer_step,
                             [&](Index begin, Index end) { f(begin, end, from, to); });
    place.from = {};
    x = std::move(place.to);
}

/// x *= factor
inline void scale(Tensor& x, double factor) {
    xtgrad::detail::with_floating(x.dtype(), [&](auto z) {
        using T = decltype(z);
        change<T>(x, [&](Index begin, Index end, const T* from, T* to) {
            kernels::optimizer_kernels<T>().scale(begin, end, T(factor), from, to);
        });
    });
}

/// Throws unless x has the shape and dtype of `like`.
inline void check_fits(const char* op, const std::string& what, const Tensor& x, const Tensor& like) {
    xtgrad::detail::check_defined(op, x);
    if (x.shape() != like.shape())
        xtgrad::detail::fail<ShapeError>(op, what, ' ', x.shape(), " does not fit ", like.shape(),
                                         "; give those of this model, in the order of nn::parameters");
    if (x.dtype() != like.dtype())
        xtgrad::detail::fail<DtypeError>(op, what, ' ', x.dtype(), " does not fit ", like.dtype(),
                                         "; give those of this model, in the order of nn::parameters");
}

}  // namespace xtgrad::optim::detail
