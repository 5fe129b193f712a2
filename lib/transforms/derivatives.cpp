#include <xtgrad/transforms/derivatives.hpp>

#include <cstring>

#include <xtgrad/ops.hpp>

#include "../tape/algebra.hpp"
#include "../tape/walk.hpp"
#include "../tensor/message.hpp"

namespace xtgrad::detail {
namespace {

void check_result(const char* op, const Tensor& y) {
    if (!y.defined()) fail<Error>(op, "the function returned an empty tensor; return what it computes");
    if (!is_floating(y.dtype()))
        fail<DtypeError>(op, "the function returned ", y.dtype(), ' ', y.shape(),
                         "; only f32 and f64 have derivatives, convert with astype");
}

/// A zero that outer tapes can differentiate.
Tensor recorded_zero(const Tensor& like) { return identity(constant_like(like, 0)); }

/// Zeros of x's shape and dtype but for a one at place k.
Tensor unit(const Tensor& x, Index k) {
    Tensor u = allocate_like(x);
    with_floating(x.dtype(), [&](auto z) {
        using T = decltype(z);
        std::memset(mutable_data<T>(u), 0, u.size() * sizeof(T));
        mutable_data<T>(u)[k] = 1;
    });
    return u;
}

Shape joined(const Shape& a, const Shape& b) {
    check_rank("jacobian", a.size() + b.size());
    Shape shape = a;
    for (const Index extent : b) shape.push_back(extent);
    return shape;
}

std::size_t total(const Tensors& x) {
    std::size_t n = 0;
    for (const Tensor& t : x) n += t.size();
    return n;
}

/// All of them, end to end.
Tensor flat(const Tensors& x, const std::vector<std::size_t>& which) {
    if (which.size() == 1) return x[which[0]];
    Tensors parts;
    for (const std::size_t i : which) parts.push_back(reshape(x[i], {-1}));
    return concatenate(parts);
}

}  // namespace

Tensors fresh_variables(const char* op, const Tensors& arguments) {
    Tensors variables;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const Tensor& x = arguments[i];
        if (!x.defined()) fail<Error>(op, "argument ", i, " is an empty tensor: it has no value; assign one first");
        if (!is_floating(x.dtype()))
            fail<DtypeError>(op, "argument ", i, " is ", x.dtype(), ' ', x.shape(),
                             "; only f32 and f64 have derivatives: let the function capture it, or convert it with astype");
        variables.push_back(identity(x));
    }
    return variables;
}

Tensors separate(Tensors list) {
    std::vector<const Tensor*> all;
    for (const Tensor& x : list) all.push_back(&x);
    const auto places = nn::detail::first_places(all);
    for (std::size_t i = 0; i < list.size(); ++i)
        if (places[i] != i) list[i] = identity(list[i]);
    return list;
}

Tensors gradients(const char* op, Tape& tape, const Tensor& y, const Tensors& variables) {
    check_result(op, y);
    if (y.size() != 1)
        fail<TapeError>(op, "the function returned ", y.shape(),
                        ", not one element; reduce it with sum, or use xg::vjp or xg::jacobian");
    // y may be a variable itself, and others were made after it.
    if (holds(tape.state(), y)) return tape.gradient(y, variables, zeros_if_unused);
    Tensors zeros;
    for (const Tensor& x : variables) zeros.push_back(recorded_zero(x));
    return zeros;
}

Trace::Trace(const char* op, const Tensors& arguments) : op_(op), tape_(persistent), variables_(fresh_variables(op, arguments)) {}

void Trace::finish(Tensors results) {
    results_ = std::move(results);
    for (std::size_t i = 0; i < results_.size(); ++i) {
        check_result(op_, results_[i]);
        if (!holds(tape_.state(), results_[i])) continue;
        const auto same = std::find_if(packs_.begin(), packs_.end(),
                                       [&](const Pack& p) { return results_[p.of[0]].dtype() == results_[i].dtype(); });
        (same != packs_.end() ? *same : packs_.emplace_back()).of.push_back(i);
    }
    for (Pack& pack : packs_) pack.tensor = flat(results_, pack.of);
    stop(tape_.state());
}

Tensors Trace::vjp(const Tensors& cotangents) {
    if (cotangents.size() != results_.size())
        fail<TapeError>(op_, "the function returned ", results_.size(), " tensors, got ", cotangents.size(),
                        " cotangents; give one for each");
    for (std::size_t i = 0; i < results_.size(); ++i) {
        check_target(op_, "a cotangent", cotangents[i]);
        if (cotangents[i].shape() != results_[i].shape())
            fail<ShapeError>(op_, "the cotangent ", cotangents[i].shape(), " needs the shape of the result, ",
                             results_[i].shape(), "; broadcast it with broadcast_to");
        check_same_dtype(op_, cotangents[i], results_[i]);
    }
    Tensors sum(variables_.size());
    for (const Pack& pack : packs_) {
        Tensors part = tape_.vjp(pack.tensor, flat(cotangents, pack.of), variables_, EmptyIfZero{});
        for (std::size_t j = 0; j < sum.size(); ++j)
            if (part[j].defined()) accumulate(sum[j], std::move(part[j]));
    }
    for (std::size_t j = 0; j < sum.size(); ++j)
        if (!sum[j].defined()) sum[j] = recorded_zero(variables_[j]);
    return sum;
}

Tensors Trace::forward(const Tensors& variables, const Tensors& tangents) {
    Tensors of(results_.size());
    for (const Pack& pack : packs_) {
        const Tensor all = tape_.jvp(pack.tensor, variables, tangents, zeros_if_unused);
        if (pack.of.size() == 1) {
            of[pack.of[0]] = all;
            continue;
        }
        Index begin = 0;
        for (const std::size_t i : pack.of) {
            const Index end = begin + Index(results_[i].size());
            of[i] = reshape(view(all, xt::range(begin, end)), results_[i].shape());
            begin = end;
        }
    }
    for (std::size_t i = 0; i < of.size(); ++i)
        if (!of[i].defined()) of[i] = recorded_zero(results_[i]);
    return of;
}

Tensors Trace::jvp(const Tensors& tangents) {
    if (tangents.size() != variables_.size())
        fail<TapeError>(op_, "the arguments are ", variables_.size(), " tensors, got ", tangents.size(),
                        " tangents; give one for each");
    for (std::size_t j = 0; j < variables_.size(); ++j) {
        check_target(op_, "a tangent", tangents[j]);
        if (tangents[j].shape() != variables_[j].shape())
            fail<ShapeError>(op_, "the tangent ", tangents[j].shape(), " needs the shape of its argument, ",
                             variables_[j].shape(), "; broadcast it with broadcast_to");
        check_same_dtype(op_, tangents[j], variables_[j]);
    }
    return forward(variables_, tangents);
}

std::vector<Tensors> Trace::jacobian(JacobianMode mode) {
    if (mode == JacobianMode::automatic)
        mode = total(variables_) < total(results_) ? JacobianMode::forward : JacobianMode::reverse;
    return mode == JacobianMode::forward ? by_columns() : by_rows();
}

std::vector<Tensors> Trace::by_rows() {
    std::vector<Tensors> blocks;
    for (const Tensor& y : results_) {
        std::vector<Tensors> rows(variables_.size());
        if (holds(tape_.state(), y))
            for (Index k = 0, n = Index(y.size()); k < n; ++k) {
                const Tensors row = tape_.vjp(y, unit(y, k), variables_, zeros_if_unused);
                for (std::size_t j = 0; j < row.size(); ++j) rows[j].push_back(row[j]);
            }
        Tensors& of_y = blocks.emplace_back();
        for (std::size_t j = 0; j < rows.size(); ++j) {
            const Shape shape = joined(y.shape(), variables_[j].shape());
            of_y.push_back(rows[j].empty() ? identity(zeros(shape, y.dtype())) : reshape(stack(rows[j]), shape));
        }
    }
    return blocks;
}

std::vector<Tensors> Trace::by_columns() {
    std::vector<Tensors> blocks(results_.size());
    for (const Tensor& x : variables_) {
        std::vector<Tensors> columns(results_.size());
        for (Index k = 0, n = Index(x.size()); k < n; ++k) {
            const Tensors column = forward({x}, {unit(x, k)});
            for (std::size_t i = 0; i < column.size(); ++i) columns[i].push_back(column[i]);
        }
        for (std::size_t i = 0; i < columns.size(); ++i) {
            const Tensor& y = results_[i];
            const Shape shape = joined(y.shape(), x.shape());
            if (x.size() == 0)
                blocks[i].push_back(identity(zeros(shape, y.dtype())));
            else
                blocks[i].push_back(reshape(transpose(reshape(stack(columns[i]), {Index(x.size()), Index(y.size())})), shape));
        }
    }
    return blocks;
}

}  // namespace xtgrad::detail
