// The record: what each thread computes while a tape is alive, in the order of its making, which is a topological order.
//
// One record a thread, in chunks, so that nodes never move. A tape is a mark in it. A tensor that an op recorded carries the
// running number of its node as its tag; all other tensors have tags from another range, so a tag tells at once whether it
// is a node and which. Nothing is ever written to an input: threads may share their parameters.
#pragma once
#include <array>
#include <memory>
#include <span>
#include <vector>

#include "../tensor/storage.hpp"

namespace xtgrad::detail {

using Tag = std::uint64_t;
struct Node;

/// Bit i: input i is wanted. Those beyond 63 always are.
using Need = std::uint64_t;
constexpr bool wants(Need need, std::size_t i) noexcept { return i >= 64 || (need >> i & 1); }

/// What the walks know of an op. Rules capture nothing: inputs, output and attributes come from the node.
struct Op {
    const char* name;
    /// cotangents[i] = the cotangent of input i, for each i in need, in the broadcast shape where the node broadcasts. An
    /// undefined one is zero. g may be written to when it is unshared.
    void (*vjp)(const Node&, Tensor g, Need need, Tensor* cotangents);
    /// The tangent of the output; tangents[i] is undefined where it is zero, and broadcast where the node broadcasts.
    Tensor (*jvp)(const Node&, const Tensor* tangents);
    /// For a cotangent that is g in some places of its only input and 0 in the others: adds g to `sum` there, which has that
    /// input's shape, is dense and unshared. Many parts of one tensor then cost what they read, not the whole for each.
    void (*add_vjp)(const Node&, const Tensor& g, const Tensor& sum) = nullptr;
};

/// The numbers of an op.
struct Attr {
    union {
        double p = 0;
        Index i;
    };
    union {
        double q = 0;
        Index j;
    };
};

/// Rules that do capture something, as those that users write; the node owns them.
struct Closure {
    virtual ~Closure() = default;
    virtual void vjp(const Node&, Tensor g, Need need, Tensor* cotangents) const = 0;
    virtual Tensor jvp(const Node&, const Tensor* tangents) const = 0;
};
/// The rules of an op whose nodes have a closure.
void closure_vjp(const Node&, Tensor g, Need need, Tensor* cotangents);
Tensor closure_jvp(const Node&, const Tensor* tangents);

/// What does not fit into a node: the inputs of an op with more than two, lists, long shapes.
struct Extra {
    std::unique_ptr<const Closure> closure;
    std::vector<Tag> tags;
    std::vector<Tensor> saved;
    std::vector<Index> extents;
    Shape shape;
};

/// The shape and dtype of a node's output in 22 bytes: a node outlives its output, and only ops that need it save it.
class CompactShape {
public:
    explicit CompactShape(const Tensor& x) noexcept {
        Block* b = x.block();
        const Index* extents = b->shape();
        std::uint8_t* p = code_ + 1;
        code_[0] = std::uint8_t(int(b->dtype) | b->rank << 2);
        for (int i = 0; i < b->rank; ++i) {
            auto extent = std::uint64_t(extents[i]);
            for (; extent >= 128 && p != code_ + sizeof code_; extent >>= 7) *p++ = std::uint8_t(extent | 128);
            if (p == code_ + sizeof code_) {
                code_[0] = std::uint8_t(int(b->dtype) | long_shape << 2);
                return;
            }
            *p++ = std::uint8_t(extent);
        }
    }
    /// Does it not fit? Then it stands in the node's extra.
    bool is_long() const noexcept { return code_[0] >> 2 == long_shape; }
    Shape shape(const Extra*) const;
    Dtype dtype() const noexcept { return Dtype(code_[0] & 3); }

private:
    static constexpr int long_shape = 63;
    std::uint8_t code_[22];
};

struct Node {
    const Op* op;
    Tag tags[2];        // of the inputs; of more than two in extra
    Tensor in[2], out;  // what the rules of this op read; a tensor without data where only its shape matters
    Attr attr;
    std::unique_ptr<Extra> extra;
    std::uint8_t input_count;
    std::uint8_t broadcast;  // bit i: input i, one of the first two, was broadcast; then in[i] has its shape. And `spent`
    CompactShape compact;

    std::span<const Tag> inputs() const noexcept {
        return extra && !extra->tags.empty() ? std::span<const Tag>(extra->tags) : std::span<const Tag>(tags, input_count);
    }
    bool repeats(std::size_t i) const noexcept { return broadcast && i < 2 && (broadcast >> i & 1); }
    /// Of the output.
    Shape shape() const { return compact.shape(extra.get()); }
    Dtype dtype() const noexcept { return compact.dtype(); }

    /// Lets go of the data that its rules read, behind a walk. One that had none can be walked again.
    void release() noexcept;
    bool is_spent() const noexcept { return broadcast & spent; }

private:
    static constexpr std::uint8_t spent = 128;
    void release(Tensor& saved) noexcept;
};
static_assert(sizeof(Node) == 96);

struct Hole {
    Tag begin, end;
    bool own_gradient;  // made by this tape's own walk: nothing computed from it can be differentiated by this tape
};

struct TapeState;
/// The pause of t in which this node was recorded, or null.
const Hole* hole_of(const TapeState& t, Tag) noexcept;

/// A tape, as the record sees it. Outlives its Tape when that died on another thread.
struct TapeState {
    Tag begin = 0;
    std::uint64_t serial = 0;
    bool persistent = false, check_finite = false, consumed = false;
    bool walking = false;  // its only walk has begun
    bool stopped = false;  // paused for good
    bool torn = false;     // a walk failed midway: what it passed is spent
    unsigned paused = 0;
    Tag paused_at = 0;
    std::vector<Hole> holes;
    TapeState *before = nullptr, *after = nullptr;  // live tapes of the thread, oldest first
    std::atomic<bool> abandoned{false};             // the Tape or its thread has ended; whoever comes second frees this
    std::atomic<struct Record*> record = nullptr;   // null when its thread has ended
};

struct Record {
    Tag first = 0, next = 0, limit = 0;  // tags of the oldest node and of the next one, and where this thread's range ends
    Node *free = nullptr, *chunk_end = nullptr;
    unsigned recording = 0;  // tapes that are neither paused nor consumed
    unsigned checking = 0;   // of those that record, how many want finite values
    unsigned live = 0;       // tapes whose nodes are still needed
    TapeState* newest = nullptr;
    std::uint64_t serial = 0;
    std::vector<Node*> chunks;
    std::unique_ptr<TapeState> spare;

    static constexpr std::size_t chunk_size = 1024;

    std::size_t size() const noexcept { return next - first; }
    Node& operator[](Tag tag) noexcept {
        const std::size_t i = tag - first;
        return chunks[i / chunk_size][i % chunk_size];
    }
    bool holds(Tag tag) const noexcept { return tag - first < next - first; }

    void add(TapeState&);
    void remove(TapeState&) noexcept;
    void pause(TapeState&);
    /// Goes on recording for t; what was recorded since it paused is a hole.
    void resume(TapeState&, bool own_gradient) noexcept;
    /// Where the nodes that t recorded end.
    Tag end(const TapeState& t) const noexcept { return t.paused ? t.paused_at : next; }
    /// Do no other tapes need the nodes since t began?
    bool alone(const TapeState& t) const noexcept;
    /// t's nodes are no longer needed by t.
    void consume(TapeState&) noexcept;
    /// Keeps the state of a removed tape for the next one.
    void keep(TapeState*) noexcept;
    /// Frees what abandoned tapes left.
    void reap() noexcept;

    void grow();
    void truncate() noexcept;
    ~Record();
};

/// Null until this thread's first tape.
extern constinit thread_local Record* this_record;
Record& open_record();

/// Is anybody recording this thread? All that an op pays for when no tape is alive.
inline bool recording() noexcept { return this_record && this_record->recording; }

/// While one lives nothing is recorded: for an op that computes by other ops and is one node.
class Unrecorded {
public:
    Unrecorded() noexcept : recording_(this_record ? std::exchange(this_record->recording, 0) : 0) {}
    ~Unrecorded() {
        if (this_record) this_record->recording = recording_;
    }
    Unrecorded(const Unrecorded&) = delete;
    Unrecorded& operator=(const Unrecorded&) = delete;

private:
    unsigned recording_;
};

/// Throws TapeError when x is not finite; `what` of `op` made it.
void check_values(const Op& op, const char* what, const Tensor& x);

/// What the rules of an op find in its node as in[0], in[1] and out.
struct Saved {
    Tensor in0{}, in1{}, out{};
};

/// What precedes a node that is not everyday: checks of values, a long shape, a new chunk.
void prepare(const Op&, const Tensor& out, const CompactShape&, std::unique_ptr<Extra>&);

/// The next node; `out` becomes its tensor. The caller fills in what its rules read. On an exception nothing has changed.
inline Node& append(const Op& op, const Tensor& out, Tag a, Tag b, int inputs, Attr attr = {},
                    std::unique_ptr<Extra> extra = nullptr) {
    Record& r = *this_record;
    const CompactShape shape(out);
    if (r.checking || shape.is_long() || r.free == r.chunk_end) [[unlikely]]
        prepare(op, out, shape, extra);
    Node* node = new (r.free++) Node{&op, {a, b}, {}, {}, attr, std::move(extra), std::uint8_t(inputs), 0, shape};
    out.block()->tag = r.next++;
    return *node;
}

/// Records an op of one or two inputs, or of any number.
Node& record(const Op&, const Tensor& out, const Tensor& a, Saved, Attr = {}, std::unique_ptr<Extra> = nullptr);
Node& record(const Op&, const Tensor& out, const Tensor& a, const Tensor& b, Saved, Attr = {}, std::unique_ptr<Extra> = nullptr);
Node& record(const Op&, const Tensor& out, std::span<const Tensor> inputs, Attr = {});

/// x as a fresh variable of the tapes that record: what transforms hand to functions, and what the walks return.
Tensor identity(const Tensor& x);
/// y, which has x's values, is x to the tapes.
void record_identity(const Tensor& y, const Tensor& x);

}  // namespace xtgrad::detail
