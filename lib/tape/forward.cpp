// The forward walk: jvp.
#include <xtgrad/tape.hpp>

#include "../tensor/message.hpp"
#include "algebra.hpp"
#include "walk.hpp"

namespace xtgrad {

namespace detail {
namespace {

/// The tangent of the sweep's last node, when its targets move along the seeds; undefined where it is zero.
Tensor swept_tangent(Sweep& sweep, const std::vector<Tensor>& seeds, bool release, bool check) {
    const Targets& targets = sweep.targets();
    std::vector<Tensor> tangents(sweep.size()), many;
    auto& uses = sweep.uses();  // of each slot, still to come: a tangent goes with the last
    for (std::size_t slot = 0; slot < sweep.size(); ++slot) {
        Node& node = sweep.node(slot);
        const std::uint8_t mark = sweep[slot];
        if (!(mark & leads)) continue;
        Tensor tangent;
        if (mark & depends) {
            const Need need = sweep.need(slot);
            const auto inputs = node.inputs();
            Tensor few[2];
            Tensor* const of = room_for(inputs.size(), few, many);
            for (std::size_t i = 0; i < inputs.size(); ++i) {
                const std::size_t from = sweep.slot(inputs[i]);
                if (wants(need, i)) {
                    if (from < slot)
                        of[i] = tangents[from];
                    else if (const int target = targets.find(inputs[i]); target >= 0)
                        of[i] = seeds[std::size_t(target)];
                    if (of[i].defined() && node.repeats(i)) of[i] = broadcast_to(of[i], node.shape());
                }
                if (from < slot && --uses[from] == 0) tangents[from] = Tensor();
            }
            bool any = false;
            for (std::size_t i = 0; i < inputs.size(); ++i) any |= of[i].defined();
            if (any) tangent = node.op->jvp(node, of);
            if (check && tangent.defined()) check_values(*node.op, "the tangent", tangent);
            if (release) node.release();
        }
        if (mark & is_target) accumulate(tangent, Tensor(seeds[std::size_t(targets.find(sweep.tag(slot)))]));
        tangents[slot] = std::move(tangent);
    }
    return tangents.back();
}

}  // namespace

Tensor recorded_tangent(const Tensor& y, const Tensor& x, const Tensor& dx) {
    Record& record = *this_record;
    const Tag from = x.block()->tag;
    const Unrecorded looking;
    if (!record.holds(from) || y.block()->tag - from >= record.next - from) return constant_like(y, 0);
    TapeState since;  // as a tape that began with x and never paused
    since.begin = from;
    since.paused_at = record.next;
    since.paused = 1;
    Sweep sweep("jvp", record, since, y, {&x, 1}, true);
    sweep.trace();
    const Tensor tangent = swept_tangent(sweep, {dx}, false, false);
    return tangent.defined() ? tangent : constant_like(y, 0);
}

}  // namespace detail

using namespace detail;

Tensor Tape::forward(const Tensor& y, std::span<const Tensor> xs, std::span<const Tensor> dxs, bool zeros) {
    TapeState& tape = usable("jvp", state_);
    Record& record = *this_record;
    check_target("jvp", "the result", y);
    if (xs.size() != dxs.size())
        fail<TapeError>("jvp", xs.size(), " targets and ", dxs.size(), " tangents; give one tangent for each target");
    for (std::size_t i = 0; i < xs.size(); ++i) {
        check_target("jvp", "a target", xs[i]);
        check_target("jvp", "a tangent", dxs[i]);
        if (xs[i].shape() != dxs[i].shape())
            fail<ShapeError>("jvp", "tangent ", i, ' ', dxs[i].shape(), " needs the shape of its target, ", xs[i].shape(),
                             "; broadcast it with broadcast_to");
        check_same_dtype("jvp", xs[i], dxs[i]);
    }
    Sweep sweep("jvp", record, tape, y, xs, zeros);
    sweep.trace();
    const Targets& targets = sweep.targets();
    std::vector<Tensor> seeds(xs.size());
    Walk walk(record, tape);
    for (std::size_t i = 0; i < xs.size(); ++i)  // a target that is named twice moves along both
        accumulate(seeds[std::size_t(targets.find(xs[i].block()->tag))], Tensor(dxs[i]));

    const Tensor tangent = sweep.size() ? swept_tangent(sweep, seeds, walk.last_reader(), tape.check_finite)
                                        : seeds[std::size_t(targets.find(y.block()->tag))];
    Tensor result = walk.result(tangent.defined() ? tangent : constant_like(y, 0));
    walk.done();
    return result;
}

}  // namespace xtgrad
