// Tensors that a pass changes.
#pragma once
#include <span>

#include "../kernels/optimizer.hpp"
#include "../tensor/message.hpp"
#include "../tensor/storage.hpp"

namespace xtgrad::optim::detail {

/// May x itself be written to? Then nobody sees it but so many fields.
inline bool writable(const Tensor& x, std::size_t fields = 1) {
    return !x.block()->base && x.block()->dense && x.block()->references.load(std::memory_order_acquire) == fields;
}

/// A pass that will change x, in place where it is writable, else by a fresh tensor. All memory is taken here: who makes those of
/// many tensors before the first runs has changed all of them or, on an error, none. Fields that hold the same tensor, tied to
/// it, hold what it has become.
class Change {
public:
    explicit Change(Tensor& x, std::vector<Tensor*> tied = {}) : x_(&x), tied_(std::move(tied)) {
        if (writable(x, 1 + tied_.size())) return;
        from_ = xtgrad::detail::contiguous(x);
        to_ = xtgrad::detail::allocate_like(x);
    }

    /// x = f(begin, end, from, to), in parts; then it is another variable.
    template <class T>
    void run(auto f) {
        for (Tensor* other : tied_) *other = Tensor();
        if (!to_.defined()) {
            from_ = to_ = std::move(*x_);
            to_.block()->tag = xtgrad::detail::fresh_tag();
        }
        const T* from = xtgrad::detail::mutable_data<T>(from_);
        T* to = xtgrad::detail::mutable_data<T>(to_);
        kernels::parallel_ranges(xtgrad::detail::element_count(to_), kernels::optimizer_step,
                                 [&](Index begin, Index end) { f(begin, end, from, to); });
        from_ = {};
        *x_ = std::move(to_);
        for (Tensor* other : tied_) *other = *x_;
    }
    Tensor& tensor() const noexcept { return *x_; }

private:
    Tensor* x_;
    std::vector<Tensor*> tied_;
    Tensor from_{}, to_{};
};

/// f<T>(begin, end, from, to) for each of the tensors, or on an error for none.
inline void change_all(std::vector<Tensor>& list, auto f) {
    std::vector<Change> changes(list.begin(), list.end());
    for (Change& change : changes)
        xtgrad::detail::with_floating(change.tensor().dtype(), [&]<class T>(T) {
            change.template run<T>([&](Index begin, Index end, const T* from, T* to) { f(begin, end, from, to); });
        });
}

/// x *= factor for all of them.
inline void scale(std::vector<Tensor>& list, double factor) {
    change_all(list, [&]<class T>(Index begin, Index end, const T* from, T* to) {
        kernels::optimizer_kernels<T>().scale(begin, end, T(factor), from, to);
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
