// Optimizers. PyTorch's names, defaults and arithmetic.
//
//     xg::optim::AdamW optimizer({.lr = 1e-3, .groups = {{.names = {"*bias", "*norm*"}, .weight_decay = 0}}});
//     optimizer.step(model, tape.gradient(loss, xg::nn::parameters(model)));
//
// A step is one pass over each parameter, in place where nobody else sees it; afterwards it is another variable. Nothing is
// recorded. The state has a tensor for each parameter, "exp_avg.layers.0.up.weight", which is made at the first step, and is
// visited, so it is saved and loaded as a model is. A parameter may join later; Adam and AdamW then count its steps from there,
// as PyTorch's do. Fields that hold one tensor are one parameter before and after a step, with state under the first one's name.
// On an error nothing has changed.
#pragma once
#include <array>
#include <span>

#include "../nn/visit.hpp"

namespace xtgrad {
namespace [[gnu::visibility("default")]] optim {

/// Parameters that are treated otherwise than the rest. Of several groups with a parameter's name the first counts.
struct Group {
    std::vector<std::string> names;           ///< patterns, each of some parameter: * stands for any characters, ? for one
    double scale = 1;                         ///< of the learning rate
    std::optional<double> weight_decay = {};  ///< instead of the optimizer's
};

namespace detail {

/// What all optimizers have: step(), by Self's update().
template <class Self>
struct Stepper {
    Tensor steps = Tensor(std::int64_t(0));  ///< how many there were

    /// Changes the parameters of the model; grads as tape.gradient(loss, nn::parameters(model)) gives them. Throws Error when
    /// their number is another, two parameters have one name, an option is out of its range, a group's pattern matches no
    /// parameter or tied fields fall into two groups, ShapeError or DtypeError when a gradient does not fit its parameter, or the
    /// state does not.
    template <nn::Field M>
    void step(M& model, const std::vector<Tensor>& grads) {
        static_cast<Self*>(this)->update(nn::detail::fields_of(model), grads);
    }
    /// With gradients in a struct of the model's type, where tied fields have the same one. Throws Error when they do not.
    template <nn::Module M, std::same_as<M> G>
    void step(M& model, const G& grads) {
        step(model, nn::detail::distinct_like("step", nn::detail::trained_fields(model), nn::detail::trained_fields(grads)));
    }
};

}  // namespace detail

// The options may change between steps; each step checks them, as PyTorch's constructors do. They are finite and at least 0 where
// nothing else is said.

struct SGDOptions {
    double lr = 1e-3;
    double momentum = 0;
    double dampening = 0;  ///< of the gradient on its way into the momentum; any finite number
    double weight_decay = 0;
    bool nesterov = false;  ///< with a momentum above 0 and no dampening
    std::vector<Group> groups = {};
};

/// Stochastic gradient descent, with momentum, Nesterov's if wanted (Sutskever et al., ICML 2013).
struct SGD : detail::Stepper<SGD> {
    SGDOptions options;
    nn::TensorMap momentum_buffer;

    explicit SGD(SGDOptions o = {}) : options(std::move(o)) {}
    static void visit(auto& self, auto&& field) {
        field("steps", nn::buffer(self.steps));
        field("momentum_buffer", self.options.momentum != 0 ? nn::state(self.momentum_buffer) : nn::buffer(self.momentum_buffer));
    }
    void update(std::span<const nn::detail::NamedField>, std::span<const Tensor> grads);
};

struct AdamOptions {
    double lr = 1e-3;
    std::array<double, 2> betas = {0.9, 0.999};  ///< in [0, 1)
    double eps = 1e-8;
    double weight_decay = 0;
    std::vector<Group> groups = {};
};

/// Adam (Kingma and Ba, arXiv:1412.6980); weight decay is a part of the gradient.
struct Adam : detail::Stepper<Adam> {
    AdamOptions options;
    nn::TensorMap exp_avg, exp_avg_sq;
    nn::TensorMap joined;  ///< how many steps there had been when a parameter joined, i64; those of the first step are not in it

    explicit Adam(AdamOptions o = {}) : options(std::move(o)) {}
    static void visit(auto& self, auto&& field) {
        field("steps", nn::buffer(self.steps));
        field("exp_avg", nn::state(self.exp_avg));
        field("exp_avg_sq", nn::state(self.exp_avg_sq));
        field("joined", nn::buffer(self.joined));
    }
    void update(std::span<const nn::detail::NamedField>, std::span<const Tensor> grads);
};

struct AdamWOptions {
    double lr = 1e-3;
    std::array<double, 2> betas = {0.9, 0.999};  ///< in [0, 1)
    double eps = 1e-8;
    double weight_decay = 0.01;
    std::vector<Group> groups = {};
};

/// Adam with weights that decay by themselves (Loshchilov and Hutter, arXiv:1711.05101).
struct AdamW : detail::Stepper<AdamW> {
    AdamWOptions options;
    nn::TensorMap exp_avg, exp_avg_sq, joined;

    explicit AdamW(AdamWOptions o = {}) : options(std::move(o)) {}
    static void visit(auto& self, auto&& field) { Adam::visit(self, field); }
    void update(std::span<const nn::detail::NamedField>, std::span<const Tensor> grads);
};

struct RMSpropOptions {
    double lr = 1e-2;
    double alpha = 0.99;  ///< in [0, 1)
    double eps = 1e-8;
    double weight_decay = 0;
    double momentum = 0;
    bool centered = false;  ///< divides by the standard deviation of the gradient, not by its root mean square
    std::vector<Group> groups = {};
};

/// RMSprop (Hinton's lecture 6e; centered: Graves, arXiv:1308.0850). A variance that rounding makes negative is 0.
struct RMSprop : detail::Stepper<RMSprop> {
    RMSpropOptions options;
    nn::TensorMap square_avg, momentum_buffer, grad_avg;

    explicit RMSprop(RMSpropOptions o = {}) : options(std::move(o)) {}
    static void visit(auto& self, auto&& field) {
        field("steps", nn::buffer(self.steps));
        field("square_avg", nn::state(self.square_avg));
        field("momentum_buffer", self.options.momentum != 0 ? nn::state(self.momentum_buffer) : nn::buffer(self.momentum_buffer));
        field("grad_avg", self.options.centered ? nn::state(self.grad_avg) : nn::buffer(self.grad_avg));
    }
    void update(std::span<const nn::detail::NamedField>, std::span<const Tensor> grads);
};

struct AdagradOptions {
    double lr = 1e-2;
    double lr_decay = 0;  ///< in step t, from 0, the rate is lr / (1 + t lr_decay)
    double weight_decay = 0;
    double initial_accumulator_value = 0;
    double eps = 1e-10;
    std::vector<Group> groups = {};
};

/// Adagrad (Duchi, Hazan and Singer, JMLR 12, 2011).
struct Adagrad : detail::Stepper<Adagrad> {
    AdagradOptions options;
    nn::TensorMap sum;

    explicit Adagrad(AdagradOptions o = {}) : options(std::move(o)) {}
    static void visit(auto& self, auto&& field) {
        field("steps", nn::buffer(self.steps));
        field("sum", nn::state(self.sum));
    }
    void update(std::span<const nn::detail::NamedField>, std::span<const Tensor> grads);
};

struct LionOptions {
    double lr = 1e-4;
    std::array<double, 2> betas = {0.9, 0.99};  ///< in [0, 1)
    double weight_decay = 0;
    std::vector<Group> groups = {};
};

/// Lion (Chen et al., arXiv:2302.06675): the sign of a momentum.
struct Lion : detail::Stepper<Lion> {
    LionOptions options;
    nn::TensorMap exp_avg;

    explicit Lion(LionOptions o = {}) : options(std::move(o)) {}
    static void visit(auto& self, auto&& field) {
        field("steps", nn::buffer(self.steps));
        field("exp_avg", nn::state(self.exp_avg));
    }
    void update(std::span<const nn::detail::NamedField>, std::span<const Tensor> grads);
};

}  // namespace optim
}  // namespace xtgrad
