#include <xtgrad/transforms/custom.hpp>

#include <map>
#include <mutex>
#include <string>

#include <xtgrad/ops.hpp>
#include <xtgrad/tape.hpp>

#include "../tape/algebra.hpp"
#include "../tape/record.hpp"
#include "../tensor/message.hpp"

namespace xtgrad::detail {
namespace {

/// The op of this name: nodes point at it for as long as they like.
const Op& op_of(std::string_view name) {
    static auto& ops = *new std::map<std::string, Op, std::less<>>;
    static std::mutex mutex;
    const std::lock_guard lock(mutex);
    auto found = ops.find(name);
    if (found == ops.end()) {
        found = ops.emplace(std::string(name), Op{nullptr, closure_vjp, closure_jvp}).first;
        found->second.name = found->first.c_str();
    }
    return found->second;
}

/// Throws naming the op unless `got` may stand beside `like`.
void check_like(const char* op, const char* what, std::size_t i, const Tensor& got, const Tensor& like, const char* whose) {
    if (got.shape() != like.shape())
        fail<ShapeError>(op, what, ' ', i, " has the shape ", got.shape(), "; it needs that of ", whose, ", ", like.shape());
    if (got.dtype() != like.dtype())
        fail<DtypeError>(op, what, ' ', i, " is ", got.dtype(), "; it needs the dtype of ", whose, ", ", like.dtype());
}

class CustomClosure : public Closure {
public:
    explicit CustomClosure(CustomRules rules) : rules_(std::move(rules)) {}

    void vjp(const Node& n, Tensor g, Need need, Tensor* cotangents) const override {
        std::vector<Tensor> of = adjoint(n, g);
        for (std::size_t i = 0; i < of.size(); ++i)
            if (wants(need, i)) cotangents[i] = std::move(of[i]);
    }

    Tensor jvp(const Node& n, const Tensor* tangents) const override {
        const std::vector<Tensor>& x = n.extra->saved;
        std::vector<Tensor> dx(tangents, tangents + x.size());
        if (!rules_.tangent) return transposed(n, dx);
        for (std::size_t i = 0; i < x.size(); ++i)
            if (!dx[i].defined()) dx[i] = zeros_like(x[i]);
        Tensor dy = rules_.tangent(dx, x, n.out);
        if (dy.defined()) check_like(n.op->name, "the tangent of result", 0, dy, n.out, "the result");
        return dy;
    }

private:
    std::vector<Tensor> adjoint(const Node& n, const Tensor& g) const {
        const std::vector<Tensor>& x = n.extra->saved;
        std::vector<Tensor> of = rules_.adjoint(g, x, n.out);
        for (std::size_t i = 0; i < of.size(); ++i) {
            if (!is_floating(x[i].dtype()))
                of[i] = Tensor();
            else if (of[i].defined())
                check_like(n.op->name, "the adjoint's cotangent of input", i, of[i], x[i], "the input");
        }
        return of;
    }

    /// The adjoint is linear in g: what it sends along dx is the tangent's inner product with g.
    Tensor transposed(const Node& n, const std::vector<Tensor>& dx) const {
        Tape tape;
        const Tensor g = identity(ones_like(n.out));
        const std::vector<Tensor> of = adjoint(n, g);
        Tensor along;
        for (std::size_t i = 0; i < of.size(); ++i)
            if (of[i].defined() && dx[i].defined()) accumulate(along, sum(of[i] * dx[i]));
        return along.defined() ? tape.gradient(along, g) : Tensor();
    }

    CustomRules rules_;
};

}  // namespace

Tensor custom(std::string_view name, CustomRules rules, std::vector<Tensor> x) {
    const Op& op = op_of(name);
    for (const Tensor& t : x) check_defined(op.name, t);
    Tensor y;
    {
        const no_record pause;
        y = std::exchange(rules.forward, nullptr)(x);
    }
    if (!y.defined()) fail<Error>(op.name, "the forward function returned an empty tensor; return what it computes");
    y = alias(y);
    if (!recording() || !is_floating(y.dtype())) return y;
    auto extra = std::make_unique<Extra>();
    extra->closure = std::make_unique<CustomClosure>(std::move(rules));
    for (const Tensor& t : x) extra->tags.push_back(t.block()->tag);
    extra->saved = std::move(x);
    append(op, y, 0, 0, 0, {}, std::move(extra)).out = y;
    return y;
}

}  // namespace xtgrad::detail
