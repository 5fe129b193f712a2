#include "attention_passes.hpp"

#include <atomic>

#include <xtgrad/ops/elementwise.hpp>
#include <xtgrad/ops/manipulation.hpp>
#include <xtgrad/ops/reduction.hpp>

#include "../kernels/attention.hpp"
#include "../tape/algebra.hpp"
#include "../tensor/message.hpp"

namespace xtgrad::detail {
namespace {

using Inputs = std::vector<Tensor>;

/// The tensors of an attention as the kernels read them.
template <class T>
class Operands {
public:
    Operands(std::span<const Tensor> x, const Attending& a) : e(a, x[0], x[1], x[2]), a_(a) {
        kernel = {e.count,
                  a.heads,
                  a.kv_heads,
                  e.queries,
                  e.keys,
                  e.width,
                  e.value_width,
                  a.below,
                  a.above,
                  T(scalar_value(x[3])),
                  queries(x[0]),
                  keys(x[1]),
                  values(x[2]),
                  {},
                  {},
                  {},
                  {}};
        if (a.rows.defined()) kernel.rows = {rows_of().largest, rows_of().log_sum};
        if (x.size() > 4) kernel.bias = grid<T>(x[4]);
        if (a.mask.defined()) kernel.mask = grid<bool>(a.mask);
        if (a.dropped.threshold) kernel.dropout = {a.dropped.seed, a.dropped.threshold, T(a.dropped.kept())};
    }

    kernels::AttentionRows<T> rows_of() const {
        if (!a_.rows.defined()) return {};
        T* first = mutable_data<T>(a_.rows);
        return {first, first + element_count(a_.rows) / 2};
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

/// Which inputs' adjoints beside those of q, k and v.
constexpr Need scale_bit = 8, bias_bit = 16;

Tensor vector_for(const AttentionExtents& e, const Attending& a, Dtype dtype) {
    return allocate(dtype, {size_of(e.out(a)) + size_of(e.rows(a))}, "attention");
}

}  // namespace

Tensor attention_rows(std::span<const Tensor> x, const Attending& a) {
    Shape shape = AttentionExtents(a, x[0], x[1], x[2]).rows(a);
    shape.insert(0, 2);
    return allocate(x[0].dtype(), shape, "attention");
}

Tensor attention_values(std::span<const Tensor> x, const Attending& a) {
    return with_floating(x[0].dtype(), [&](auto z) {
        using T = decltype(z);
        Tensor vector = vector_for(AttentionExtents(a, x[0], x[1], x[2]), a, x[0].dtype());
        if (element_count(vector) == 0) return vector;
        const Operands<T> in(x, a);
        T* to = mutable_data<T>(vector);
        const kernels::AttentionValues<T> out{in.output(to), to + size_of(in.e.out(a))};
        const auto& k = kernels::attention_kernels<T>();
        run_tasks<T>(kernels::attention_tasks(in.kernel), k.forward_work(in.kernel), x[0].dtype(), steps_of(in.kernel),
                     [&](Index task, T* work) { k.forward(in.kernel, out, in.rows_of(), task, work); });
        return vector;
    });
}

Tensor attention_tangent(std::span<const Tensor> x, const Attending& a, std::span<const Tensor> dx, const Tensor& values) {
    return with_floating(x[0].dtype(), [&](auto z) {
        using T = decltype(z);
        Tensor vector = vector_for(AttentionExtents(a, x[0], x[1], x[2]), a, x[0].dtype());
        if (element_count(vector) == 0) return vector;
        Operands<T> in(x, a);
        const auto d = in.tangents(dx);
        const auto from = in.values_of(values);
        T* to = mutable_data<T>(vector);
        const kernels::AttentionValues<T> out{in.output(to), to + size_of(in.e.out(a))};
        const auto& k = kernels::attention_kernels<T>();
        run_tasks<T>(kernels::attention_tasks(in.kernel), k.tangent_work(in.kernel), x[0].dtype(), steps_of(in.kernel),
                     [&](Index task, T* work) { k.tangent(in.kernel, d, from, out, task, work); });
        return vector;
    });
}

Tensor attention_second_tangent(std::span<const Tensor> x, const Attending& a, std::span<const Tensor> first,
                                std::span<const Tensor> second, std::span<const Tensor> both, const Tensor& values,
                                const Tensor& first_values, const Tensor& second_values) {
    return with_floating(x[0].dtype(), [&](auto z) {
        using T = decltype(z);
        Tensor vector = vector_for(AttentionExtents(a, x[0], x[1], x[2]), a, x[0].dtype());
        if (element_count(vector) == 0) return vector;
        Operands<T> in(x, a);
        const kernels::AttentionSecondTangent<T> from{in.tangents(first),         in.tangents(second),
                                                      in.tangents(both),          in.values_of(values),
                                                      in.values_of(first_values), in.values_of(second_values)};
        T* to = mutable_data<T>(vector);
        const kernels::AttentionValues<T> out{in.output(to), to + size_of(in.e.out(a))};
        const auto& k = kernels::attention_kernels<T>();
        run_tasks<T>(kernels::attention_tasks(in.kernel), k.second_tangent_work(in.kernel), x[0].dtype(), 2 * steps_of(in.kernel),
                     [&](Index task, T* work) { k.second_tangent(in.kernel, from, out, task, work); });
        return vector;
    });
}

std::vector<Tensor> attention_adjoint(std::span<const Tensor> x, const Attending& a, const Tensor& g, const Tensor& values,
                                      Need need, const Directions* second, Tensor* vector) {
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
        if (element_count(values) == 0) {  // nobody asks
            for (Tensor& r : result) std::fill_n(mutable_data<T>(r), element_count(r), T(0));
            return;
        }
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
        Index rounds = 1;  // one for each batch where they add to one bias
        if (by_key) {
            Shape shape = e.scores(a);
            if (x[4].dimension() < 2 || x[4].shape(-2) == 1) shape[shape.size() - 2] = 1;
            const Shape own = x[4].shape();
            Index batches = 1;
            for (std::size_t i = 0; i + 3 < own.size(); ++i) batches *= own[i];
            if (batches == 1) std::fill_n(shape.begin(), e.batch.size(), 1), rounds = e.count;
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
        to.bias_batch = by_key && rounds == 1 ? element_count(bias) / std::max<Index>(1, e.count) : 0;
        to.bias_query = by_key && bias.shape(-2) == e.queries ? e.keys : 0;
        const auto& k = kernels::attention_kernels<T>();
        kernels::AttentionTangents<T> d{};
        if (second) {
            d = in.tangents(second->inputs);
            to.cotangent_tangent = in.values_of(second->cotangent);
            to.tangents = in.values_of(second->values);
        }
        const Index each = tasks / std::max<Index>(1, rounds), work_size = k.adjoint_work(in.kernel, second);
        for (Index begin = 0; begin < tasks; begin += each)
            run_tasks<T>(each, work_size, dtype, 2 * steps_of(in.kernel), [&](Index task, T* work) {
                if (second)
                    k.second(in.kernel, d, to, begin + task, work);
                else
                    k.adjoint(in.kernel, to, begin + task, work);
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
                mutable_data<T>(bias)[i] = cotangent && in.kernel.rows.log_sum[i] != T(no_keys(dtype)) ? cotangent[i] : T(0);
        }
        if (need & bias_bit) put(result.back(), sum_to(bias, x[4].shape()));
    });
    return result;
}

}  // namespace xtgrad::detail
