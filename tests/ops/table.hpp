// The op table: a row for each public op, with samples and an independent reference. Every row goes through all checks in
// checks.cpp; a public op without a row fails there.
#pragma once
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include <xtgrad/xtgrad.hpp>

namespace table {

namespace xg = xtgrad;
using xg::Index, xg::Shape, xg::Tensor;
using Inputs = std::vector<Tensor>;

/// Inputs of f64 that an op is tried with; `what` says what is special about them.
struct Sample {
    std::string what;
    Inputs inputs;
};

struct Row {
    std::string name;
    std::function<Tensor(const Inputs&)> op;
    /// The value by a naive loop or a closed form, in double.
    std::function<Tensor(const Inputs&)> reference;
    std::vector<Sample> samples;
    bool differentiable = true;
    /// Operands of different dtypes are no error.
    bool mixes_dtypes = false;
};

/// A place for the reference to be written to, element by element.
class Array {
public:
    explicit Array(Shape shape) : shape_(std::move(shape)), values_(std::size_t(count(shape_))) {}
    explicit Array(const Tensor& x) : Array(x.shape()) {
        const auto v = xg::astype(x, xg::f64);
        const Tensor dense = xg::copy(v);
        std::copy_n(dense.data<double>(), values_.size(), values_.begin());
    }

    const Shape& shape() const { return shape_; }
    Index size() const { return Index(values_.size()); }
    double& operator[](Index i) { return values_[std::size_t(i)]; }
    double operator[](Index i) const { return values_[std::size_t(i)]; }
    /// The element at a position; extents of 1 and missing leading axes repeat.
    double at(const Shape& position) const {
        Index flat = 0;
        const std::size_t skip = position.size() - shape_.size();
        for (std::size_t d = 0; d < shape_.size(); ++d) flat = flat * shape_[d] + (shape_[d] == 1 ? 0 : position[d + skip]);
        return values_[std::size_t(flat)];
    }
    double& place(const Shape& position) {
        Index flat = 0;
        for (std::size_t d = 0; d < shape_.size(); ++d) flat = flat * shape_[d] + position[d];
        return values_[std::size_t(flat)];
    }
    Shape position(Index flat) const {
        Shape p = shape_;
        for (std::size_t d = shape_.size(); d-- > 0; flat /= shape_[d]) p[d] = flat % shape_[d];
        return p;
    }
    Tensor tensor() const {
        Tensor t = xg::zeros(shape_, xg::f64);
        std::copy(values_.begin(), values_.end(), const_cast<double*>(t.data<double>()));
        return t;
    }

private:
    static Index count(const Shape& s) {
        Index n = 1;
        for (const Index d : s) n *= d;
        return n;
    }
    Shape shape_;
    std::vector<double> values_;
};

/// Random numbers in [low, high), the same in every run.
Tensor random(const Shape&, double low = -2, double high = 2);

/// The largest difference, relative to 1 + the size of the expected value; infinite when shapes differ.
double distance(const Tensor& got, const Tensor& want);

/// What the references of a family's rows leave free: nothing, the extents of a single input, or the whole shape of all
/// inputs as long as they broadcast.
enum class Free { nothing, extents, shape };

struct Family {
    const char* name;
    std::vector<Row> (*rows)();
    Free free;
};
extern const std::vector<Family> families;
/// Of one family, or of all. Each family draws its samples from the same beginning: a new row changes no other family's.
std::vector<Row> rows_of(const Family&);
std::vector<Row> all_rows();

}  // namespace table
