#include "record.hpp"

#include <cstdlib>
#include <new>

#include <xtgrad/tape.hpp>

#include "../kernels/finite.hpp"
#include "../kernels/thread_end.hpp"
#include "../tensor/message.hpp"

namespace xtgrad::detail {

constinit thread_local Record* this_record = nullptr;

namespace {

/// Tags of nodes have the highest bit; each thread takes its own range of them.
constexpr Tag node_tags = Tag(1) << 63, range = Tag(1) << 40;

constinit thread_local bool thread_ended = false;

void end_thread() noexcept {
    delete std::exchange(this_record, nullptr);
    thread_ended = true;
}

}  // namespace

Shape CompactShape::shape(const Extra* extra) const {
    if (is_long()) return extra->shape;
    const int rank = code_[0] >> 2;
    Shape shape;
    const std::uint8_t* p = code_ + 1;
    for (int i = 0; i < rank; ++i) {
        std::uint64_t extent = 0;
        for (int shift = 0;; shift += 7) {
            extent |= std::uint64_t(*p & 127) << shift;
            if (!(*p++ & 128)) break;
        }
        shape.push_back(Index(extent));
    }
    return shape;
}

void Node::release(Tensor& saved) noexcept {
    if (!saved.defined() || !saved.block()->data) return;
    saved = Tensor();
    broadcast |= spent;
}

void Node::release() noexcept {
    release(in[0]);
    release(in[1]);
    release(out);
    if (!extra) return;
    for (Tensor& x : extra->saved) release(x);
    if (!extra->closure) return;
    extra->closure.reset();
    broadcast |= spent;
}

void closure_vjp(const Node& n, Tensor g, Need need, Tensor* cotangents) {
    n.extra->closure->vjp(n, std::move(g), need, cotangents);
}
Tensor closure_jvp(const Node& n, const Tensor* tangents) { return n.extra->closure->jvp(n, tangents); }

Record& open_record() {
    if (!this_record) {
        if (thread_ended) fail<TapeError>("tape", "this thread has ended, and the tapes with it; make tapes before");
        auto record = std::make_unique<Record>();
        if (!AtThreadEnd<end_thread>::ask()) throw std::bad_alloc();
        this_record = record.release();
    }
    return *this_record;
}

void Record::add(TapeState& t) {
    static constinit std::atomic<Tag> ranges{0};
    if (live == 0) {
        if (limit - next < range / 2) {
            next = node_tags | ranges.fetch_add(1, std::memory_order_relaxed) * range;
            limit = next + range;
        }
        first = next;
        free = chunk_end = nullptr;
    }
    t.record = this;
    t.begin = next;
    t.serial = ++serial;
    t.before = newest;
    if (newest) newest->after = &t;
    newest = &t;
    ++recording;
    ++live;
    checking += t.check_finite;
}

bool Record::alone(const TapeState& t) const noexcept {
    for (const TapeState* other = newest; other; other = other->before)
        if (other != &t && !other->consumed && !(other->paused && other->paused_at <= t.begin)) return false;
    return true;
}

void Record::consume(TapeState& t) noexcept {
    if (t.consumed) return;
    t.consumed = true;
    if (!t.paused) {
        --recording;
        checking -= t.check_finite;
    }
    if (--live == 0)
        truncate();
    else if (alone(t))  // the nodes stay, since a tag is used once, but hold nothing
        for (Tag tag = t.begin; tag != next; ++tag) {
            Node& node = (*this)[tag];
            node.in[0] = node.in[1] = node.out = Tensor();
            node.extra.reset();
        }
}

void Record::remove(TapeState& t) noexcept {
    consume(t);
    (t.after ? t.after->before : newest) = t.before;
    if (t.before) t.before->after = t.after;
}

void Record::keep(TapeState* t) noexcept {
    std::unique_ptr<TapeState> state(t);
    if (spare) return;
    state->consumed = state->walking = state->stopped = state->torn = false;
    state->paused = 0;
    state->holes.clear();
    state->before = state->after = nullptr;
    spare = std::move(state);
}

void Record::reap() noexcept {
    for (TapeState* t = newest; t;) {
        TapeState* before = t->before;
        if (t->abandoned.load(std::memory_order_acquire)) {
            remove(*t);
            delete t;
        }
        t = before;
    }
}

void Record::pause(TapeState& t) {
    t.holes.reserve(t.holes.size() + 1);
    if (t.paused++ != 0) return;
    t.paused_at = next;
    if (t.consumed) return;
    --recording;
    checking -= t.check_finite;
}

void Record::resume(TapeState& t, bool own_gradient) noexcept {
    if (--t.paused != 0 || t.consumed) return;
    if (next != t.paused_at) t.holes.push_back({t.paused_at, next, own_gradient});
    ++recording;
    checking += t.check_finite;
}

void Record::grow() {
    const std::size_t chunk = size() / chunk_size;
    if (chunk == chunks.size()) {
        chunks.reserve(chunks.size() + 1);
        void* memory = std::aligned_alloc(alignment, chunk_size * sizeof(Node));
        if (!memory) fail<Error>("tape", "no memory for another ", chunk_size, " nodes; use a shorter tape");
        chunks.push_back(static_cast<Node*>(memory));
    }
    free = chunks[chunk];
    chunk_end = free + chunk_size;
}

void Record::truncate() noexcept {
    constexpr std::size_t kept_chunks = 64;
    for (std::size_t i = 0, n = size(); i < n; ++i) std::destroy_at(&chunks[i / chunk_size][i % chunk_size]);
    while (chunks.size() > kept_chunks) {
        std::free(chunks.back());
        chunks.pop_back();
    }
    first = next;
    free = chunk_end = nullptr;
}

Record::~Record() {
    for (TapeState *t = newest, *before; t; t = before) {
        before = t->before;
        t->record = nullptr;
        consume(*t);
        if (t->abandoned.exchange(true, std::memory_order_acq_rel)) delete t;
    }
    truncate();
    for (Node* chunk : chunks) std::free(chunk);
}

void check_values(const Op& op, const char* what, const Tensor& x) {
    if (!is_floating(x.dtype())) return;
    const Tensor dense = contiguous(x);
    const bool finite = with_floating(
        x.dtype(), [&](auto z) { return kernels::all_finite(element_count(dense), mutable_data<decltype(z)>(dense)); });
    if (!finite)
        fail<TapeError>(op.name, what, " has a NaN or an infinity: ", x.dtype(), ' ', x.shape(),
                        "; look at the inputs of this op, the first that made one");
}

void prepare(const Op& op, const Tensor& out, const CompactShape& shape, std::unique_ptr<Extra>& extra) {
    Record& r = *this_record;
    if (r.checking) check_values(op, "the value", out);
    if (shape.is_long()) {
        if (!extra) extra = std::make_unique<Extra>();
        extra->shape = out.shape();
    }
    if (r.free == r.chunk_end) r.grow();
}

namespace {

Node& fill(Node& n, Saved&& saved) {
    n.in[0] = std::move(saved.in0);
    n.in[1] = std::move(saved.in1);
    n.out = std::move(saved.out);
    return n;
}

}  // namespace

Node& record(const Op& op, const Tensor& out, const Tensor& a, Saved saved, Attr attr, std::unique_ptr<Extra> extra) {
    return fill(append(op, out, a.block()->tag, 0, 1, attr, std::move(extra)), std::move(saved));
}

Node& record(const Op& op, const Tensor& out, const Tensor& a, const Tensor& b, Saved saved, Attr attr,
             std::unique_ptr<Extra> extra) {
    return fill(append(op, out, a.block()->tag, b.block()->tag, 2, attr, std::move(extra)), std::move(saved));
}

Node& record(const Op& op, const Tensor& out, std::span<const Tensor> inputs, Attr attr) {
    auto extra = std::make_unique<Extra>();
    extra->tags.reserve(inputs.size());
    for (const Tensor& x : inputs) extra->tags.push_back(x.block()->tag);
    return append(op, out, 0, 0, 0, attr, std::move(extra));
}

}  // namespace xtgrad::detail
