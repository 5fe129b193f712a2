#include <xtgrad/tape.hpp>

#include <unordered_set>

#include "../tensor/message.hpp"
#include "algebra.hpp"
#include "walk.hpp"

namespace xtgrad {

using namespace detail;

Tape::Tape(TapeOption option) : state_(nullptr) {
    Record& r = open_record();
    r.reap();
    auto state = r.spare ? std::move(r.spare) : std::make_unique<TapeState>();
    state->persistent = option.bits & persistent.bits;
    state->check_finite = option.bits & xtgrad::check_finite.bits;
    r.add(*state);
    state_ = state.release();
}

Tape::~Tape() {
    if (Record* r = state_->record; r && r == this_record) {
        r->remove(*state_);
        r->keep(state_);
    } else if (state_->abandoned.exchange(true, std::memory_order_acq_rel)) {
        delete state_;
    }
}

no_record::no_record() : record_(this_record) {
    if (!this_record) return;
    newest_ = this_record->serial;
    for (TapeState* t = this_record->newest; t; t = t->before)
        t->holes.reserve(t->holes.size() + 1);  // before the first is paused
    for (TapeState* t = this_record->newest; t; t = t->before) this_record->pause(*t);
}

no_record::~no_record() {
    if (!record_ || record_ != this_record) return;
    for (TapeState* t = this_record->newest; t; t = t->before)
        if (t->serial <= newest_) this_record->resume(*t, false);
}

Tensor stop_gradient(const Tensor& x) {
    check_defined("stop_gradient", x);
    return alias(x);
}

std::size_t Tape::nodes() const {
    const TapeState& t = usable("nodes", state_);
    std::size_t n = 0;
    for_each_node(t, [&](Tag, const Node&) { ++n; });
    return n;
}

std::size_t Tape::bytes() const {
    const TapeState& t = usable("bytes", state_);
    std::unordered_set<const Block*> seen;
    std::size_t bytes = 0;
    const auto add = [&](const Tensor& x) {
        if (!x.defined()) return;
        for (Block* b : {x.block(), x.block()->base})
            if (b && seen.insert(b).second) {
                bytes += sizeof(Block) + 2 * sizeof(Index) * b->rank;
                if (!b->base && b->data)
                    bytes += std::size_t(size_of(Shape::of(b->shape(), b->rank))) * size_of(b->dtype) + padding;
            }
    };
    for_each_node(t, [&](Tag, const Node& n) {
        bytes += sizeof(Node);
        for (const Tensor* x : {&n.in[0], &n.in[1], &n.out}) add(*x);
        if (!n.extra) return;
        bytes += sizeof(Extra) + n.extra->tags.size() * sizeof(Tag);
        for (const Tensor& x : n.extra->saved) add(x);
    });
    return bytes;
}

namespace detail {

TapeState& usable(const char* op, TapeState* t) {
    if (t->record != this_record || !this_record)
        fail<TapeError>(op, "the tape belongs to another thread; use a tape on the thread that made it");
    if (t->walking)
        fail<TapeError>(op,
                        "a walk of this tape is going on and calls this, by on_ready or an op's own rule; make the tape with "
                        "xg::Tape tape(xg::persistent) to walk it meanwhile");
    if (t->consumed)
        fail<TapeError>(
            op,
            "this tape is consumed: gradient, vjp or jvp was called before; make it with xg::Tape tape(xg::persistent) "
            "to call them again, or ask for several targets at once");
    return *t;
}

bool holds(const TapeState& t, const Tensor& x) noexcept {
    const Record& r = *t.record.load();
    const Tag tag = x.block()->tag;
    return tag - t.begin < r.end(t) - t.begin && !hole_of(t, tag);
}

void stop(TapeState& t) {
    if (t.stopped) return;
    this_record->pause(t);
    t.stopped = true;
}

void check_target(const char* op, const char* what, const Tensor& x) {
    if (!x.defined()) fail<Error>(op, what, " is an empty tensor: a default-constructed Tensor has no value; assign one first");
    if (!is_floating(x.dtype()))
        fail<DtypeError>(op, what, " is ", x.dtype(), ' ', x.shape(), "; only f32 and f64 have derivatives, convert with astype");
}

namespace {

void identity_vjp(const Node&, Tensor g, Need, Tensor* cotangents) { cotangents[0] = std::move(g); }
Tensor identity_jvp(const Node&, const Tensor* tangents) { return tangents[0]; }
constexpr Op identity_op{"identity", identity_vjp, identity_jvp};

}  // namespace

void record_identity(const Tensor& y, const Tensor& x) { record(identity_op, y, x, {}); }

Tensor identity(const Tensor& x) {
    Tensor y = alias(x);
    if (recording()) record_identity(y, x);
    return y;
}

Tensor Walk::result(const Tensor& x) const {
    const bool made_here = x.block()->tag - from_ < record_.next - from_;
    if (made_here || (!record_.recording && (!tape_.persistent || tape_.stopped))) return x;
    Tensor y = alias(x);
    record_identity(y, x);
    return y;
}

}  // namespace detail
}  // namespace xtgrad
