// A step changes model and optimizer as a whole, or neither; gradients, averages and statistics alike.
#include <doctest/doctest.h>

#include "failing.hpp"

using namespace memory;

namespace {

struct Model {
    xg::nn::Embedding embedding;
    xg::nn::TransformerBlock block;
    xg::nn::Linear head;
    explicit Model(xg::Rng& rng)
        : embedding(11, 8, rng, {.dtype = xg::f64}),
          block(8, rng, {.heads = 2, .causal = true, .rotary = true, .dropout = 0.1, .dtype = xg::f64}),
          head(8, 11, rng, {.dtype = xg::f64}) {}
    static void visit(auto& self, auto&& field) {
        field("embedding", self.embedding);
        field("block", self.block);
        field("head", self.head);
    }
};

/// One that shares no tensor with it.
template <class M>
M apart(M model) {
    xg::nn::for_each_tensor(model, [](std::string_view, Tensor& x, xg::nn::Role) { x = xg::copy(x); });
    return model;
}
template <class M>
Tensors all_of(const M& model) {
    Tensors list;
    for (const auto& [name, x] : xg::nn::named_tensors(model)) list.push_back(x);
    return list;
}

/// step(state) on states that are equal, and `kept`: after a failure the state is as it was before the step.
template <class S>
void check_whole(const std::string& name, const S& start, const std::function<void(S&)>& step, bool shared = false) {
    S state = start;
    bool begun = false, done = false;
    const Tensors before = all_of(start);
    exhaust(
        name + (shared ? ", shared" : ""),
        [&] {
            begun = done = false;
            state = apart(start);
            const S other = shared ? state : S(start);
            begun = true;
            step(state);
            done = true;
            return all_of(state);
        },
        before, [&] { return begun && !done && !same(all_of(state), before) ? "the step is half done" : ""; });
}

struct Small {
    Tensor a = xg::full({3, 2}, 1.5), b = xg::full({2}, -1.), c = xg::full({2}, 0.5, xg::f32);
    static void visit(auto& self, auto&& field) {
        field("a", self.a);
        field("b", self.b);
        field("c", self.c);
    }
};
struct List {
    Tensors list{xg::full({3, 2}, 1.5), xg::full({2}, -1.), xg::full({2}, 0.5, xg::f32)};
    static void visit(auto& self, auto&& field) { field("list", self.list); }
};
template <class M, class O>
struct Run {
    M model;
    O optimizer;
    static void visit(auto& self, auto&& field) {
        field("model", self.model);
        field("optimizer", self.optimizer);
    }
};

template <class O>
void check_optimizer(const char* name, O optimizer) {
    using State = Run<Small, O>;
    State run{{}, std::move(optimizer)};
    const Tensors grads{xg::transpose(xg::full({2, 3}, 0.5)), xg::full({2}, 2.), xg::full({2}, -1., xg::f32)};
    const std::function<void(State&)> step = [&](State& r) { r.optimizer.step(r.model, grads); };
    check_whole<State>(std::string(name) + ", first step", run, step);
    run.optimizer.step(run.model, grads);
    for (const bool shared : {false, true}) check_whole<State>(std::string(name) + ", second step", run, step, shared);
}

}  // namespace

TEST_CASE("a training step of a transformer") {
    using Trained = Run<Model, xg::optim::AdamW>;
    xg::Rng rng(1);
    const Trained start{Model(rng), xg::optim::AdamW({.lr = 1e-2, .groups = {{.names = {"*bias"}, .weight_decay = 0}}})};
    const Tensor words = xg::tensor({{1, 2, 3, 4}, {5, 6, 7, 8}}), next = xg::tensor({{2, 3, 4, 5}, {6, 7, 8, 9}});
    check_whole<Trained>("a training step", start, [&](Trained& t) {
        xg::Rng drops(2);
        xg::Tape tape;
        const Tensor loss = xg::cross_entropy(t.model.head(t.model.block(t.model.embedding(words), drops)), next);
        Tensors grads = tape.gradient(loss, xg::nn::parameters(t.model));
        xg::optim::clip_norm(grads, 0.1);
        t.optimizer.step(t.model, grads);
    });
}

TEST_CASE("optimizers") {
    check_optimizer("SGD", xg::optim::SGD({.momentum = 0.9}));
    check_optimizer("Adam", xg::optim::Adam());
    check_optimizer("AdamW", xg::optim::AdamW());
    check_optimizer("RMSprop", xg::optim::RMSprop({.momentum = 0.9, .centered = true}));
    check_optimizer("Adagrad", xg::optim::Adagrad({.initial_accumulator_value = 0.1}));
    check_optimizer("Lion", xg::optim::Lion());

    using Late = Run<Small, xg::optim::AdamW>;
    Late late;  // b joins after a step
    late.optimizer.step(late.model, Tensors{xg::ones({3, 2}), xg::ones({2}), xg::ones({2}, xg::f32)});
    late.optimizer.exp_avg.erase("b");
    late.optimizer.exp_avg_sq.erase("b");
    check_whole<Late>("a parameter that joins", late, [](auto& r) {
        r.optimizer.step(r.model, Tensors{xg::ones({3, 2}), xg::ones({2}), xg::ones({2}, xg::f32)});
    });
}

TEST_CASE("gradients, averages, statistics") {
    for (const bool shared : {false, true}) {
        check_whole<List>(
            "clip_norm", {}, [](List& l) { xg::optim::clip_norm(l.list, 0.5); }, shared);
        check_whole<List>(
            "clip_value", {}, [](List& l) { xg::optim::clip_value(l.list, 0.5); }, shared);
    }
    const Small trained{xg::full({3, 2}, 2.), xg::full({2}, 3.), xg::full({2}, 4., xg::f32)};
    using Average = xg::optim::MovingAverage<Small>;
    for (const bool shared : {false, true})
        check_whole<Average>(
            "MovingAverage", Average(Small{}, 0.5), [&](Average& a) { a.update(trained); }, shared);

    exhaust("Accumulator", [] {
        const Tensors grads{xg::full({3, 2}, 1.5), xg::full({2}, -1.)};
        xg::optim::Accumulator sum;
        sum.add(grads);
        sum.add(grads);
        return sum.mean();
    });
    check_whole<xg::nn::BatchNorm>("BatchNorm", xg::nn::BatchNorm(2, {.dtype = xg::f64}), [](xg::nn::BatchNorm& norm) {
        norm(xg::tensor({{1., 2.}, {3., 5.}, {-1., 0.}}), xg::nn::training);
    });
}

TEST_CASE("a generator stands where it stood when a draw fails") {
    xg::Rng rng(0);
    const Tensor x = xg::ones({5, 4}), q = xg::ones({1, 4, 4});
    std::uint64_t before = 0;
    bool done = false;
    const auto draw = [&](const char* name, const std::function<Tensor()>& f) {
        exhaust(
            name,
            [&] {
                rng = xg::Rng(5);
                before = rng.position();
                done = false;
                const Tensor drawn = f();
                done = true;
                return Tensors{drawn};
            },
            {}, [&] { return !done && rng.position() != before ? "the generator has moved" : ""; });
    };
    draw("randn", [&] { return xg::randn({100}, xg::f64, rng); });
    draw("uniform", [&] { return xg::uniform({100}, xg::f64, rng); });
    draw("randint", [&] { return xg::randint({100}, 0, 7, rng); });
    draw("permutation", [&] { return xg::permutation(100, rng); });
    draw("categorical", [&] { return xg::categorical(x, rng); });
    draw("dropout", [&] { return xg::dropout(x, 0.5, rng); });
    draw("attention", [&] { return xg::attention(q, q, q, {.dropout = {0.5, rng}}); });
}

TEST_CASE("a checkpoint notes what it draws, or says that it has no memory") {
    const Tensor q = xg::ones({1, 4, 4});
    exhaust(
        "checkpoint",
        [&] {
            xg::Rng rng(5);
            xg::Tape tape;
            const Tensor y = xg::checkpoint([&](const Tensor& v) { return xg::attention(v, v, v, {.dropout = {0.5, rng}}); }, q);
            return Tensors{tape.gradient(xg::sum(y), q)};
        },
        {}, [] { return ""; });
}
