// Tapes: what is computed while one is alive can be differentiated.
#pragma once
#include <array>
#include <functional>
#include <iosfwd>
#include <span>
#include <vector>

#include "tensor.hpp"

namespace [[gnu::visibility("default")]] xtgrad {

namespace detail {
struct TapeState;
/// For the library: a gradient that is zero may be an empty tensor.
struct EmptyIfZero {};
}  // namespace detail

/// How a tape behaves; combine with |.
struct TapeOption {
    unsigned bits;
    friend constexpr TapeOption operator|(TapeOption a, TapeOption b) { return {a.bits | b.bits}; }
};
/// The tape can be walked more than once.
inline constexpr TapeOption persistent{1};
/// A NaN or an infinity is a TapeError that names the first op, forward or backward, that made one.
inline constexpr TapeOption check_finite{2};

/// A target that the tape never saw, or that was made after the result, has derivative zero instead of being an error.
struct ZerosIfUnused {};
inline constexpr ZerosIfUnused zeros_if_unused{};

/// Called with the index of a target and its gradient as soon as that is complete, while the walk goes on.
struct OnReady {
    std::function<void(std::size_t, const Tensor&)> call;
};
inline OnReady on_ready(std::function<void(std::size_t, const Tensor&)> call) { return {std::move(call)}; }

/// What gradient and vjp may be told at the end of their arguments: zeros_if_unused, on_ready(f).
struct GradientOptions {
    bool zeros_if_unused = false, empty_if_zero = false;
    std::function<void(std::size_t, const Tensor&)> on_ready;

    GradientOptions() = default;
    template <class... Option>
    explicit GradientOptions(Option&&... options) {
        (set(std::forward<Option>(options)), ...);
    }

private:
    void set(ZerosIfUnused) { zeros_if_unused = true; }
    void set(detail::EmptyIfZero) { zeros_if_unused = empty_if_zero = true; }
    void set(OnReady f) { on_ready = std::move(f.call); }
};
template <class O>
concept GradientOption = std::same_as<std::remove_cvref_t<O>, ZerosIfUnused> || std::same_as<std::remove_cvref_t<O>, OnReady> ||
                         std::same_as<std::remove_cvref_t<O>, detail::EmptyIfZero>;

/// Records the ops of this thread from its construction until it is consumed or dies. Tapes nest: an inner tape's gradient
/// is made of ops that the outer one records, and that is all of higher order.
///
/// A target is any floating-point tensor (a template takes it, so that an xtensor expression, whose conversion would be another
/// variable, does not compile): an input, a parameter, an intermediate. One that the tape never saw, neither made by its ops nor
/// taken by one, is a TapeError, and so is one that it made after the result, as a weight that was stepped too early; any other
/// that the result does not depend on has gradient zero.
///
/// gradient, vjp and jvp consume the tape unless it is persistent. On an error nothing is consumed: the tape goes on. Only
/// where a walk fails midway (by an error of an op's own derivative, of on_ready or check_finite, or for want of memory) is the
/// data lost that it has used till then, unless the tape is persistent or an outer one keeps it; a later walk that needs some of
/// it is a TapeError that names the op.
class Tape {
public:
    Tape() : Tape(TapeOption{0}) {}
    explicit Tape(TapeOption);
    ~Tape();
    Tape(const Tape&) = delete;
    Tape& operator=(const Tape&) = delete;

    /// dy/dx for a y of one element; the shape of x.
    template <std::same_as<Tensor> T, GradientOption... O>
    Tensor gradient(const Tensor& y, const T& x, O&&... options) {
        return single(y, nullptr, x, GradientOptions(std::forward<O>(options)...));
    }
    /// One gradient for each of {x, ...}.
    template <std::same_as<Tensor> T, std::size_t N, GradientOption... O>
        requires(N > 1)
    std::array<Tensor, N> gradient(const Tensor& y, const T (&xs)[N], O&&... options) {
        std::array<Tensor, N> result;
        reverse(y, nullptr, xs, result, GradientOptions(std::forward<O>(options)...));
        return result;
    }
    template <std::same_as<std::vector<Tensor>> V, GradientOption... O>
    std::vector<Tensor> gradient(const Tensor& y, const V& xs, O&&... options) {
        std::vector<Tensor> result(xs.size());
        reverse(y, nullptr, xs, result, GradientOptions(std::forward<O>(options)...));
        return result;
    }
    template <std::size_t N, GradientOption... O>
    std::array<Tensor, N> gradient(const Tensor& y, const std::array<Tensor, N>& xs, O&&... options) {
        std::array<Tensor, N> result;
        reverse(y, nullptr, xs, result, GradientOptions(std::forward<O>(options)...));
        return result;
    }

    /// The vector-Jacobian product: the gradient of sum(y * cotangent), for a cotangent of y's shape.
    template <std::same_as<Tensor> T, GradientOption... O>
    Tensor vjp(const Tensor& y, const Tensor& cotangent, const T& x, O&&... options) {
        return single(y, &cotangent, x, GradientOptions(std::forward<O>(options)...));
    }
    template <std::same_as<Tensor> T, std::size_t N, GradientOption... O>
        requires(N > 1)
    std::array<Tensor, N> vjp(const Tensor& y, const Tensor& cotangent, const T (&xs)[N], O&&... options) {
        std::array<Tensor, N> result;
        reverse(y, &cotangent, xs, result, GradientOptions(std::forward<O>(options)...));
        return result;
    }
    template <std::same_as<std::vector<Tensor>> V, GradientOption... O>
    std::vector<Tensor> vjp(const Tensor& y, const Tensor& cotangent, const V& xs, O&&... options) {
        std::vector<Tensor> result(xs.size());
        reverse(y, &cotangent, xs, result, GradientOptions(std::forward<O>(options)...));
        return result;
    }
    template <std::size_t N, GradientOption... O>
    std::array<Tensor, N> vjp(const Tensor& y, const Tensor& cotangent, const std::array<Tensor, N>& xs, O&&... options) {
        std::array<Tensor, N> result;
        reverse(y, &cotangent, xs, result, GradientOptions(std::forward<O>(options)...));
        return result;
    }

    /// The Jacobian-vector product: the tangent of y when x moves along dx, which has x's shape. One forward walk. A tangent
    /// for an intermediate is added to the one that reaches it. Also takes zeros_if_unused.
    template <std::same_as<Tensor> T, std::same_as<ZerosIfUnused>... O>
    Tensor jvp(const Tensor& y, const T& x, const Tensor& dx, O...) {
        return forward(y, {&x, 1}, {&dx, 1}, sizeof...(O) > 0);
    }
    template <std::same_as<Tensor> T, std::size_t N, std::same_as<ZerosIfUnused>... O>
        requires(N > 1)
    Tensor jvp(const Tensor& y, const T (&xs)[N], const T (&dxs)[N], O...) {
        return forward(y, xs, dxs, sizeof...(O) > 0);
    }
    template <std::same_as<std::vector<Tensor>> V, std::same_as<ZerosIfUnused>... O>
    Tensor jvp(const Tensor& y, const V& xs, const std::vector<Tensor>& dxs, O...) {
        return forward(y, xs, dxs, sizeof...(O) > 0);
    }
    template <std::size_t N, std::same_as<ZerosIfUnused>... O>
    Tensor jvp(const Tensor& y, const std::array<Tensor, N>& xs, const std::array<Tensor, N>& dxs, O...) {
        return forward(y, xs, dxs, sizeof...(O) > 0);
    }

    /// How many ops the tape holds.
    std::size_t nodes() const;
    /// Memory that the tape holds: its nodes, and the tensors that they save, each buffer once.
    std::size_t bytes() const;
    /// A picture for Graphviz: ops with the shapes that they made, edges with the input that they are.
    void dot(std::ostream&) const;

    /// For the library.
    detail::TapeState& state() const noexcept { return *state_; }

private:
    Tensor single(const Tensor& y, const Tensor* cotangent, const Tensor& x, const GradientOptions& options) {
        Tensor result;
        reverse(y, cotangent, {&x, 1}, {&result, 1}, options);
        return result;
    }
    void reverse(const Tensor& y, const Tensor* cotangent, std::span<const Tensor> xs, std::span<Tensor> result,
                 const GradientOptions&);
    Tensor forward(const Tensor& y, std::span<const Tensor> xs, std::span<const Tensor> dxs, bool zeros);

    detail::TapeState* state_;
};

/// While one lives, the tapes that this thread had record nothing; tapes that begin inside it do.
class no_record {
public:
    no_record();
    ~no_record();
    no_record(const no_record&) = delete;
    no_record& operator=(const no_record&) = delete;

private:
    const void* record_;
    std::uint64_t newest_ = 0;
};

/// x without its history: the same values, another variable, a constant to every tape.
Tensor stop_gradient(const Tensor& x);

}  // namespace xtgrad
