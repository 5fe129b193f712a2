// Attention as nodes with kernels of their own. What they compute is one vector, so that each is one node: the output and the
// log-sum-exp; their tangents; the adjoints of the inputs that are wanted. The formulas stand in kernels/attention.hpp. Beyond
// the second derivative, when an outer tape records one of these rules, it is composed of other ops.
#include <atomic>

#include <xtgrad/ops/elementwise.hpp>
#include <xtgrad/ops/manipulation.hpp>
#include <xtgrad/ops/reduction.hpp>
#include <xtgrad/tape.hpp>

#include "../kernels/attention.hpp"
#include "../tape/algebra.hpp"
#include "../tape/record.hpp"
#include "../tensor/message.hpp"
#include "attention.hpp"

namespace xtgrad::detail {
namespace {

using Inputs = std::vector<Tensor>;

/// A node keeps its inputs and, last, the mask.
void keep(Node& n, Inputs saved, const Attending& a) {
    saved.push_back(a.mask);
    n.extra->saved = std::move(saved);
    n.extra->extents = {a.heads, a.kv_heads, a.below, a.above};
}
Attending attending(const Node& n) {
    const auto& e = n.extra->extents;
    return {e[0], e[1], e[2], e[3], n.extra->saved.back()};
}

/// The tensors of an attention as the kernels read them.
template <class T>
class Operands {
public:
    Operands(std::span<const Tensor> x, const Attending& a) : e(a, x[0], x[1], x[2]), a_(a) {
        kernel = {e.count,       a.heads,       a.kv_heads,   e.queries, e.keys,
                  e.width,       e.value_width, a.below,      a.above,   T(scalar_value(x[3])),
                  queries(x[0]), keys(x[1]),    values(x[2]), {},        {}};
        if (x.size() > 4) kernel.bias = grid<T>(x[4]);
        if (a.mask.defined()) kernel.mask = grid<bool>(a.mask);
    }

    kernels::HeadRows<const T> queries(const Tensor& x) { return rows(x, e.width); }
    kernels::HeadRows<const T> keys(const Tensor& x) { return rows(x, e.width); }
    kernels::HeadRows<const T> values(const Tensor& x) { return rows(x, e.value_width); }
    kernels::AttentionTangents<T> tangents(std::span<const Tensor> dx) {
        return {queries(dx[0]), keys(dx[1]), values(dx[2]), dx[3].defined() ? T(scalar_value(dx[3])) : T(0),
                dx.size() > 4 ? grid<T>(dx[4]) : kernels::ScoreGrid<T>{}};
    }
    /// Of a vector, or of an output alone.
    kernels::AttentionValues<const T> values_of(const Tensor& x) {
        if (!x.defined()) return {};
        if (x.dimension() > 1) return {values(x), nullptr};
        kept_.push_back(contiguous(x));
        const T* data = mutable_data<T>(kept_.back());
        return {output<const T>(data), data + size_of(e.out(a_))};
    }
    template <class U>
    kernels::HeadRows<U> output(U* data) const {
        return dense_rows(data, e.queries, a_.heads, e.value_width);
    }
    template <class U>
    static kernels::HeadRows<U> dense_rows(U* data, Index rows, Index heads, Index width) {
        return {data, rows * heads * width, width, heads * width};
    }

    const AttentionExtents e;
    kernels::Attention<T> kernel;

private:
    /// In place where rows have no gaps in them and one stride leads from batch to batch.
    kernels::HeadRows<const T> rows(const Tensor& given, Index width) {
        if (!given.defined()) return {};
        Tensor x = given;
        const Shape shape = x.shape();
        const auto batch_stride = [&](const Strides& strides) -> std::optional<Index> {
            if (strides.back() != 1 && shape.back() != 1) return {};
            Index stride = 0, extent = 0;  // of the batch from this axis on
            for (std::size_t i = shape.size() - 2; i-- > 0;) {
                if (shape[i] == 1) continue;
                if (extent != 0 && strides[i] != stride * extent) return {};
                if (extent == 0) stride = strides[i], extent = 1;
                extent *= shape[i];
            }
            return stride;
        };
        if (!batch_stride(x.strides())) x = copied(x);
        kept_.push_back(x);
        return {mutable_data<T>(x), batch_stride(x.strides()).value_or(0), width, x.strides()[shape.size() - 2]};
    }

    template <class U>
    kernels::ScoreGrid<U> grid(const Tensor& x) {
        if (!x.defined()) return {};
        const Shape scores = e.scores(a_), shape = x.shape();
        const Strides own = x.strides();
        Strides strides = scores;
        const std::size_t skip = scores.size() - shape.size();
        for (std::size_t i = 0; i < scores.size(); ++i) strides[i] = i < skip || shape[i - skip] == 1 ? 0 : own[i - skip];
        auto& offsets = offsets_.emplace_back();
        const std::size_t batch = e.batch.size();
        for (Index b = 0; b < e.count; ++b) {
            Index offset = 0, rest = b;
            for (std::size_t i = batch; i-- > 0; rest /= scores[i]) offset += rest % scores[i] * strides[i];
            offsets.push_back(offset);
        }
        kept_.push_back(x);
        return {mutable_data<U>(x), offsets.data(), strides[batch], strides[batch + 1], strides[batch + 2]};
    }

    Attending a_;
    Inputs kept_;
    std::vector<std::vector<Index>> offsets_;
};

/// f(task, work) for all tasks, `size` elements of work for each of those that run at a time.
template <class T>
void run_tasks(Index tasks, Index size, Dtype dtype, double steps, auto f) {
    if (tasks == 0) return;
    const Index places = steps < kernels::parallel_threshold ? 1 : std::min<Index>(tasks, kernels::threads());
    const Tensor memory = allocate(dtype, {places, size});
    T* work = mutable_data<T>(memory);
    if (places == 1) {
        for (Index i = 0; i < tasks; ++i) f(i, work);
        return;
    }
    std::vector<std::atomic_flag> busy(static_cast<std::size_t>(places));
    kernels::parallel_tasks(tasks, [&](Index i) {
        std::size_t place = 0;
        while (busy[place].test_and_set(std::memory_order_acquire)) place = (place + 1) % busy.size();
        f(i, work + Index(place) * size);
        busy[place].clear(std::memory_order_release);
    });
}
template <class T>
double steps_of(const kernels::Attention<T>& a) {
    return double(a.batch * a.heads) * double(a.queries) * double(a.keys) * double(a.width + a.value_width);
}

Tensor vector_for(const AttentionExtents& e, const Attending& a, Dtype dtype) {
    return allocate(dtype, {size_of(e.out(a)) + size_of(e.rows(a))}, "attention");
}

Tensor values(std::span<const Tensor> x, const Attending& a) {
    return with_floating(x[0].dtype(), [&](auto z) {
        using T = decltype(z);
        const Operands<T> in(x, a);
        Tensor vector = vector_for(in.e, a, x[0].dtype());
        T* to = mutable_data<T>(vector);
        const kernels::AttentionValues<T> out{in.output(to), to + size_of(in.e.out(a))};
        const auto& k = kernels::attention_kernels<T>();
        run_tasks<T>(kernels::attention_tasks(in.kernel), k.forward_work(in.kernel), x[0].dtype(), steps_of(in.kernel),
                     [&](Index task, T* work) { k.forward(in.kernel, out, task, work); });
        return vector;
    });
}

/// The tangents of the values; undefined ones of the inputs are zero.
Tensor tangent(std::span<const Tensor> x, const Attending& a, std::span<const Tensor> dx, const Tensor& values) {
    return with_floating(x[0].dtype(), [&](auto z) {
        using T = decltype(z);
        Operands<T> in(x, a);
        const auto d = in.tangents(dx);
        const auto from = in.values_of(values);
        Tensor vector = vector_for(in.e, a, x[0].dtype());
        T* to = mutable_data<T>(vector);
        const kernels::AttentionValues<T> out{in.output(to), to + size_of(in.e.out(a))};
        const auto& k = kernels::attention_kernels<T>();
        run_tasks<T>(kernels::attention_tasks(in.kernel), k.tangent_work(in.kernel), x[0].dtype(), steps_of(in.kernel),
                     [&](Index task, T* work) { k.tangent(in.kernel, d, from, out, task, work); });
        return vector;
    });
}

/// Which inputs' adjoints beside those of q, k and v.
constexpr Need scale_bit = 8, bias_bit = 16;

/// What the second derivative needs beside the adjoint: tangents of the inputs, of the cotangent, of the values.
struct Directions {
    std::span<const Tensor> inputs;
    Tensor cotangent, values;
};

/// Which of the inputs x are in a vector of adjoints: q, k and v always.
bool included(Need need, std::size_t i) { return i < 3 || need >> i & 1; }

/// The adjoints of the inputs for a cotangent of the values, or of the output alone; or their tangents. Given a vector, it
/// becomes all of them, and they its parts.
Inputs adjoint(std::span<const Tensor> x, const Attending& a, const Tensor& g, const Tensor& values, Need need,
               const Directions* second = nullptr, Tensor* vector = nullptr) {
    Inputs result;
    if (vector) {
        Index size = 0;
        for (std::size_t i = 0; i < x.size(); ++i) size += included(need, i) ? element_count(x[i]) : 0;
        *vector = allocate(x[0].dtype(), {size});
    }
    for (std::size_t i = 0, at = 0; i < x.size(); ++i) {
        if (!included(need, i)) continue;
        const Shape shape = x[i].shape();
        result.push_back(vector ? make_view(*vector, shape, dense_strides(shape), Index(at)) : allocate(x[0].dtype(), shape));
        at += std::size_t(element_count(x[i]));
    }
    with_floating(x[0].dtype(), [&](auto z) {
        using T = decltype(z);
        const Dtype dtype = x[0].dtype();
        Operands<T> in(x, a);
        const auto& e = in.e;
        const Index parts = kernels::adjoint_parts(in.kernel), tasks = kernels::adjoint_tasks(in.kernel);
        Tensor q = result[0];
        if (parts > 1) {
            Shape split = x[0].shape();
            split.insert(0, parts);
            q = allocate(dtype, split);
        }
        std::vector<double> scale(std::size_t(need & scale_bit ? tasks : 0));
        // A bias that is one number for all keys of a query only moves the log-sum-exp.
        const bool by_key = need & bias_bit && x[4].dimension() > 0 && x[4].shape().back() != 1;
        Tensor bias;
        if (by_key) {
            Shape shape = e.scores(a);
            if (x[4].dimension() < 2 || x[4].shape(-2) == 1) shape[shape.size() - 2] = 1;
            bias = allocate(dtype, shape, "attention");
            std::fill_n(mutable_data<T>(bias), element_count(bias), T(0));
        }
        kernels::AttentionAdjoint<T> to{};
        to.cotangent = in.values_of(g);
        to.values = in.values_of(values);
        to.q = in.dense_rows(mutable_data<T>(q), e.queries, a.heads, e.width);
        to.k = in.dense_rows(mutable_data<T>(result[1]), e.keys, a.kv_heads, e.width);
        to.v = in.dense_rows(mutable_data<T>(result[2]), e.keys, a.kv_heads, e.value_width);
        to.part = element_count(x[0]);
        to.scale = need & scale_bit ? scale.data() : nullptr;
        to.bias = by_key ? mutable_data<T>(bias) : nullptr;
        to.bias_query = by_key && bias.shape(-2) == e.queries ? e.keys : 0;
        const auto& k = kernels::attention_kernels<T>();
        kernels::AttentionTangents<T> d{};
        if (second) {
            d = in.tangents(second->inputs);
            to.cotangent_tangent = in.values_of(second->cotangent);
            to.tangents = in.values_of(second->values);
        }
        run_tasks<T>(tasks, k.adjoint_work(in.kernel, second), dtype, 2 * steps_of(in.kernel), [&](Index task, T* work) {
            if (second)
                k.second(in.kernel, d, to, task, work);
            else
                k.adjoint(in.kernel, to, task, work);
        });
        const Unrecorded inner;
        const auto put = [&](Tensor& into, const Tensor& from) {
            if (vector)
                std::copy_n(mutable_data<T>(contiguous(from)), element_count(from), mutable_data<T>(into));
            else
                into = from;
        };
        const Axes first{0};
        if (parts > 1) put(result[0], sum(q, &first, false));
        if (need & scale_bit) {
            double total = 0;
            for (const double part : scale) total += part;
            *mutable_data<T>(result[3]) = T(total);
        }
        if (need & bias_bit && !by_key) {
            Shape shape = e.rows(a);
            shape.push_back(1);
            bias = allocate(dtype, shape);
            const T* cotangent = second ? to.cotangent_tangent.lse : to.cotangent.lse;
            for (Index i = 0; i < element_count(bias); ++i)
                mutable_data<T>(bias)[i] = cotangent && to.values.lse[i] < T(no_keys / 2) ? cotangent[i] : T(0);
        }
        if (need & bias_bit) put(result.back(), sum_to(bias, x[4].shape()));
    });
    return result;
}
/// As one vector.
Tensor adjoint_vector(std::span<const Tensor> x, const Attending& a, const Tensor& g, const Tensor& values, Need need,
                      const Directions* second = nullptr) {
    Tensor vector;
    adjoint(x, a, g, values, need, second, &vector);
    return vector;
}

// ---- the adjoints that are wanted, one after the other; inputs x, a cotangent g, and the values

Inputs wanted(std::span<const Tensor> x, Need need) {
    Inputs list;
    for (std::size_t i = 0; i < x.size(); ++i)
        if (included(need, i)) list.push_back(x[i]);
    return list;
}
/// A vector of adjoints taken apart: one for each input, undefined where it is not in there.
Inputs taken_apart(std::span<const Tensor> x, Need need, const Tensor& vector) {
    Inputs parts(x.size());
    Index first = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        if (!included(need, i)) continue;
        parts[i] = part_of(vector, first, x[i].shape());
        first += element_count(x[i]);
    }
    return parts;
}
bool any_defined(std::span<const Tensor> x) {
    for (const Tensor& t : x)
        if (t.defined()) return true;
    return false;
}

/// Fresh variables: a rule's inner tape must not mix them with those of others.
Inputs fresh(std::span<const Tensor> x) {
    Inputs list;
    for (const Tensor& t : x) list.push_back(identity(t));
    return list;
}
Tensor composed_adjoint(std::span<const Tensor> x, const Attending& a, const Tensor& g, Need need) {
    Tape tape;
    Tensor y = composed_attention(x, a);
    if (g.dimension() > 1) y = part_of(y, 0, g.shape());
    return joined(tape.vjp(y, g, wanted(x, need), zeros_if_unused));
}
/// The tangent or, given h, the adjoint of a function of variables, by a tape of its own.
Inputs composed_vjp(std::span<const Tensor> at, const Tensor& h, auto f) {
    const Inputs x = fresh(at);
    Tape tape;
    return tape.vjp(f(x), h, x, zeros_if_unused);
}
Tensor composed_jvp(std::span<const Tensor> at, std::span<const Tensor> dx, auto f) {
    const Inputs x = fresh(at);
    Inputs moving, along;
    for (std::size_t i = 0; i < x.size(); ++i)
        if (dx[i].defined()) moving.push_back(x[i]), along.push_back(dx[i]);
    Tape tape;
    return tape.jvp(f(x), moving, along);
}

/// The saved tensors of a node without the mask, in order of the inputs.
std::span<const Tensor> inputs_of(const Node& n) { return std::span(n.extra->saved).first(n.extra->saved.size() - 1); }

/// Of the first ones only.
Need of_inputs(Need need, std::size_t count) { return need & ((Need(1) << count) - 1); }

void adjoint_vjp(const Node& n, Tensor h, Need need, Tensor* cotangents) {
    const auto all = inputs_of(n), x = all.first(all.size() - 2);
    const Tensor &g = all[x.size()], &values = all.back();
    const Attending a = attending(n);
    const Need parts = Need(n.attr.i);
    const std::size_t count = x.size();
    if (recording()) {
        const Inputs found = composed_vjp(all.first(count + 1), h, [&](std::span<const Tensor> v) {
            return composed_adjoint(v.first(count), a, v[count], parts);
        });
        std::copy(found.begin(), found.end(), cotangents);
        return;
    }
    const Inputs hats = taken_apart(x, parts, h);
    const Tensor moved = tangent(x, a, hats, values);
    if (wants(need, count)) cotangents[count] = g.dimension() > 1 ? part_of(moved, 0, g.shape()) : moved;
    const Need own = of_inputs(need, count);
    if (!own) return;
    const Directions directions{hats, {}, moved};
    const Inputs found = adjoint(x, a, g, values, own, &directions);
    for (std::size_t i = 0, at = 0; i < count; ++i)
        if (included(own, i)) cotangents[i] = found[at++];
}
Tensor adjoint_jvp(const Node& n, const Tensor* tangents) {
    const auto all = inputs_of(n), x = all.first(all.size() - 2);
    const Tensor &g = all[x.size()], &values = all.back();
    const Attending a = attending(n);
    const Need parts = Need(n.attr.i);
    const std::size_t count = x.size();
    const std::span<const Tensor> dx(tangents, count);
    const Tensor &dg = tangents[count], &moved = tangents[count + 1];
    if (recording())
        return composed_jvp(all.first(count + 1), {tangents, count + 1},
                            [&](std::span<const Tensor> v) { return composed_adjoint(v.first(count), a, v[count], parts); });
    if (!any_defined(dx)) return dg.defined() ? adjoint_vector(x, a, dg, values, parts) : Tensor();
    const Directions directions{dx, dg, moved.defined() ? moved : tangent(x, a, dx, values)};
    return adjoint_vector(x, a, g, values, parts, &directions);
}
constexpr Op adjoint_op{"attention_vjp", adjoint_vjp, adjoint_jvp};

// ---- the tangents of the values; inputs x, those of their tangents that are not zero, and the values

Tensor composed_tangent(std::span<const Tensor> x, const Attending& a, std::span<const Tensor> dx) {
    const Inputs given(dx.begin(), dx.end());
    return composed_jvp(x, given, [&](std::span<const Tensor> v) { return composed_attention(v, a); });
}
/// One for each input, undefined where it is zero.
Inputs spread_out(std::size_t count, Need present, std::span<const Tensor> given) {
    Inputs dx(count);
    for (std::size_t i = 0, at = 0; i < count; ++i)
        if (present >> i & 1) dx[i] = given[at++];
    return dx;
}

void tangent_vjp(const Node& n, Tensor h, Need need, Tensor* cotangents) {
    const auto all = inputs_of(n);
    const Need present = Need(n.attr.i);
    const auto count = std::size_t(n.attr.j);
    const auto x = all.first(count), given = all.subspan(count, all.size() - count - 1);
    const Attending a = attending(n);
    if (recording()) {
        const Inputs found = composed_vjp(all.first(all.size() - 1), h, [&](std::span<const Tensor> v) {
            return composed_tangent(v.first(count), a, spread_out(count, present, v.subspan(count)));
        });
        std::copy(found.begin(), found.end(), cotangents);
        return;
    }
    const Tensor& values = all.back();
    const Inputs dx = spread_out(count, present, given);
    if (const Need own = of_inputs(need, count)) {
        const Directions directions{dx, {}, n.out};
        const Inputs found = adjoint(x, a, h, values, own, &directions);
        for (std::size_t i = 0, at = 0; i < count; ++i)
            if (included(own, i)) cotangents[i] = found[at++];
    }
    Need linear = 0;
    for (std::size_t i = 0, at = count; i < count; ++i)
        if (present >> i & 1) linear |= Need(wants(need, at++)) << i;
    if (!linear) return;
    const Inputs found = adjoint(x, a, h, values, linear);
    for (std::size_t i = 0, at = 0, to = count; i < count; ++i) {
        const bool in_there = included(linear, i);
        if (present >> i & 1) {
            if (in_there) cotangents[to] = found[at];
            ++to;
        }
        at += in_there;
    }
}
Tensor tangent_jvp(const Node& n, const Tensor* tangents) {
    const auto all = inputs_of(n);
    const Need present = Need(n.attr.i);
    const auto count = std::size_t(n.attr.j), more = all.size() - count - 1;
    const std::span<const Tensor> moving(tangents, count + more);
    const Attending a = attending(n);
    if (!recording() && !any_defined(moving.first(count)))
        return any_defined(moving) ? tangent(all.first(count), a, spread_out(count, present, moving.subspan(count)), all.back())
                                   : Tensor();
    return composed_jvp(all.first(count + more), moving, [&](std::span<const Tensor> v) {
        return composed_tangent(v.first(count), a, spread_out(count, present, v.subspan(count)));
    });
}
constexpr Op tangent_op{"attention_jvp", tangent_vjp, tangent_jvp};

// ---- the values; inputs x

void values_vjp(const Node& n, Tensor g, Need need, Tensor* cotangents) {
    const auto all = inputs_of(n), x = all.first(all.size() - 1);
    const Tensor& values = all.back();
    const Attending a = attending(n);
    if (recording()) {
        const Tensor vector = adjoint_vector(x, a, g, values, need);
        Inputs inputs(x.begin(), x.end());
        inputs.push_back(g);
        inputs.push_back(values);
        Attr attr;
        attr.i = Index(need);
        keep(record(adjoint_op, vector, inputs, attr), inputs, a);
        const Inputs found = taken_apart(x, need, vector);
        std::copy(found.begin(), found.end(), cotangents);
        return;
    }
    Inputs found = adjoint(x, a, g, values, need);
    for (std::size_t i = 0, at = 0; i < x.size(); ++i)
        if (included(need, i)) cotangents[i] = std::move(found[at++]);
}
Tensor values_jvp(const Node& n, const Tensor* tangents) {
    const auto all = inputs_of(n), x = all.first(all.size() - 1);
    const Attending a = attending(n);
    const std::span<const Tensor> dx(tangents, x.size());
    Tensor out = tangent(x, a, dx, all.back());
    if (!recording()) return out;
    Inputs inputs(x.begin(), x.end());
    Attr attr;
    attr.i = 0;
    attr.j = Index(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
        if (!dx[i].defined()) continue;
        attr.i |= Index(1) << i;
        inputs.push_back(dx[i]);
    }
    inputs.push_back(all.back());
    Node& node = record(tangent_op, out, inputs, attr);
    keep(node, inputs, a);
    node.out = out;
    return out;
}
constexpr Op values_op{"attention", values_vjp, values_jvp};

// ---- the output, the first part of the values. Its cotangent goes on as it is: nobody sees the rest.

void output_vjp(const Node&, Tensor g, Need, Tensor* cotangents) { cotangents[0] = std::move(g); }
Tensor output_jvp(const Node& n, const Tensor* tangents) { return part_of(tangents[0], 0, n.shape()); }
constexpr Op output_op{"attention_output", output_vjp, output_jvp};

}  // namespace

Tensor fused_attention(std::span<const Tensor> x, const Attending& a) {
    Tensor vector = values(x, a);
    if (recording()) {
        Inputs saved(x.begin(), x.end());
        saved.push_back(vector);
        keep(record(values_op, vector, x), std::move(saved), a);
    }
    return vector;
}

Tensor output_of(const Tensor& vector, const Shape& shape) {
    Tensor out = make_view(vector, shape, dense_strides(shape));
    if (recording()) record(output_op, out, vector, {});
    return out;
}

}  // namespace xtgrad::detail
