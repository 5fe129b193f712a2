// A traced formula with all that has been derived from it.
#pragma once
#include <memory>
#include <mutex>
#include <vector>

#include "../kernels/program.hpp"
#include "graph.hpp"
#include "trace.hpp"

namespace xtgrad::formula {

/// What to make of a node: itself; the cotangents of some of its inputs, for one more input, the node's cotangent; its tangent,
/// for as many more inputs as there are tangents.
enum class Mode { value, cotangents, tangent };

struct Plan {
    std::vector<Id> roots;                 // `none` is zero
    std::vector<std::vector<bool>> reads;  // which inputs each of them depends on
    std::vector<int> passed;   // of a derivative: the input that it is, as it is; else -1. It is no output of the program
    kernels::Program program;  // computes the others
};

class Source {
public:
    /// Nothing when the trace contradicts itself.
    static std::shared_ptr<Source> of(const Trace&);
    Id value() const { return value_; }

    /// Made once, kept as long as this. Of `arity` inputs, `of` are those that have a cotangent or a tangent; repeats as in
    /// compile, of all inputs. For any thread.
    const Plan& plan(Mode, Id root, std::size_t arity, const std::vector<bool>& of, const std::vector<bool>& repeats);

private:
    struct Known {
        Mode mode;
        Id root;
        std::size_t arity;
        std::vector<bool> of, repeats;
        Plan plan;
    };

    std::mutex mutex_;
    Graph graph_;
    Id value_ = none;
    std::vector<std::unique_ptr<const Known>> known_;
};

}  // namespace xtgrad::formula
