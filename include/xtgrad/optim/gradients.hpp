// What happens to gradients before a step, and to weights after it.
#pragma once
#include <span>

#include "../nn/visit.hpp"

namespace xtgrad {
namespace [[gnu::visibility("default")]] optim {

/// Scales the gradients, all by one factor, so that their norm, the root of the sum of all squares, is at most `most`, which is
/// not negative and may be infinite. Returns the norm before, summed in double. As PyTorch, the factor is most / (norm + 1e-6); a
/// NaN or an infinity spoils all. On an error none has changed.
double clip_norm(std::vector<Tensor>& grads, double most);
/// Cuts each element to [-most, most]. On an error none has changed.
void clip_value(std::vector<Tensor>& grads, double most);

/// Gradients of several small batches, for one step: add() each, then step(model, sum.mean()).
class Accumulator {
public:
    /// Throws Error when there are not as many as before. On an error nothing has changed.
    void add(std::vector<Tensor> grads);
    int count() const noexcept { return count_; }
    /// The sum; then it begins anew.
    std::vector<Tensor> sum();
    /// The sum divided by how many were added; then it begins anew.
    std::vector<Tensor> mean();

private:
    std::vector<Tensor> sum_;
    int count_ = 0;
};

namespace detail {
/// Throws Error, with the first difference, unless names, shapes and dtypes are the same.
void check_same_fields(const nn::NamedTensors& average, const nn::NamedTensors& trained);
struct Averaged {
    Tensor *average, x;
};
/// Throws Error unless it lies in [0, 1].
void check_decay(double decay);
/// average = decay average + (1 - decay) x for all of them, in place where nobody else sees it, or on an error for none. Fields
/// that held one average and follow one parameter hold one afterwards.
void decay_towards(std::span<const Averaged>, double decay);
}  // namespace detail

/// A model whose weights are an exponential moving average of another's; buffers are copied. What is tied there is tied here.
template <nn::Field M>
struct MovingAverage {
    M model;
    double decay;  ///< in [0, 1]

    explicit MovingAverage(const M& start, double d = 0.999) : model(start), decay(d) {
        detail::check_decay(decay);
        nn::detail::renew(nn::detail::fields_of(model));
    }
    /// After a step. The model has the same fields as at the start: else it throws Error, and nothing has changed.
    void update(const M& trained) {
        detail::check_decay(decay);
        const nn::NamedTensors now = nn::named_tensors(trained);
        detail::check_same_fields(nn::named_tensors(model), now);
        std::vector<detail::Averaged> averages, copies;
        auto next = now.begin();
        nn::for_each_tensor(model, [&](std::string_view, Tensor& average, nn::Role role) {
            (role == nn::Role::parameter ? averages : copies).push_back({&average, next++->second});
        });
        detail::decay_towards(averages, decay);
        for (const auto& [to, x] : copies) *to = x;
    }
    static void visit(auto& self, auto&& field) { field("model", self.model); }
};

}  // namespace optim
}  // namespace xtgrad
