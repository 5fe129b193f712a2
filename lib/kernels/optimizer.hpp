// One step of an optimizer: one pass over a parameter, its gradient and its state. Compiled for each instruction set.
//
// Memory may be read and written up to 64 bytes beyond the last element, so nothing has a tail.
#pragma once
#include <array>

#include "isa.hpp"
#include "parallel.hpp"

namespace xtgrad::kernels {

/// `to` may be `from`. How many states there are depends on the optimizer.
template <class T>
struct Update {
    const T *gradient, *from;
    T* to;
    std::array<T*, 3> state;
};

/// g += decay p;  b = momentum b + damped g, or g at first;  g = nesterov ? g + momentum b : b;  p -= rate g.  Without b when it
/// is null.
struct Sgd {
    double rate, momentum, damped, decay;
    bool nesterov, first;
};
/// g += decay p;  m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;  p = shrink p - rate m / (root sqrt v + eps)
struct Adam {
    double rate, beta1, beta2, root, eps, decay, shrink;
};
/// g += decay p;  v = alpha v + (1 - alpha) g^2;  if centered, a += (1 - alpha) (g - a) and v' = v - a^2, 0 where rounding makes
/// that negative, else v' = v;  d = g / (sqrt v' + eps);  with b, b = momentum b + d and d = b;  p -= rate d.
/// States: v, b, a; the last two may be null.
struct Rmsprop {
    double rate, alpha, eps, decay, momentum;
};
/// g += decay p;  s += g^2;  p -= rate g / (sqrt s + eps)
struct Adagrad {
    double rate, eps, decay;
};
/// p = shrink p - rate sign(beta1 m + (1 - beta1) g);  m = beta2 m + (1 - beta2) g
struct Lion {
    double rate, beta1, beta2, shrink;
};

template <class T>
struct OptimizerKernels {
    // Elements [begin, end).
    void (*sgd)(Index begin, Index end, const Sgd&, const Update<T>&);
    void (*adam)(Index begin, Index end, const Adam&, const Update<T>&);
    void (*rmsprop)(Index begin, Index end, const Rmsprop&, const Update<T>&);
    void (*adagrad)(Index begin, Index end, const Adagrad&, const Update<T>&);
    void (*lion)(Index begin, Index end, const Lion&, const Update<T>&);
    /// out = x + weight (y - x); out may be x.
    void (*blend)(Index begin, Index end, T weight, const T* x, const T* y, T* out);
    /// out = factor x; out may be x.
    void (*scale)(Index begin, Index end, T factor, const T* x, T* out);
    /// out = x cut to [-limit, limit]; NaN stays. out may be x.
    void (*clamp)(Index begin, Index end, T limit, const T* x, T* out);
    /// The sum of squares of n elements, nothing beyond them; in f32 too of elements whose squares f32 cannot hold.
    double (*squares)(Index n, const T* x);
};

/// Elements that are a task; every part begins at a multiple of it.
inline constexpr Index optimizer_step = 1 << 12;

/// Of one instruction set; defined in optimizer.cpp.
template <class T, Isa>
const OptimizerKernels<T>& optimizer_kernels_of();

/// Of the active one.
template <class T>
const OptimizerKernels<T>& optimizer_kernels() noexcept;

}  // namespace xtgrad::kernels
