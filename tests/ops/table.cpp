#include "table.hpp"

namespace table {
namespace {

xg::Rng& generator() {
    static xg::Rng rng(0);
    return rng;
}

}  // namespace

std::vector<Row> arrangement_rows();
std::vector<Row> attention_rows();
std::vector<Row> convolution_rows();
std::vector<Row> creation_rows();
std::vector<Row> elementwise_rows();
std::vector<Row> indexing_rows();
std::vector<Row> linalg_rows();
std::vector<Row> linear_rows();
std::vector<Row> manipulation_rows();
std::vector<Row> model_rows();
std::vector<Row> product_rows();
std::vector<Row> reduction_rows();
std::vector<Row> row_rows();
std::vector<Row> scan_rows();
std::vector<Row> statistics_rows();

const std::vector<Family> families{
    {"elementwise", elementwise_rows, Free::shape},   {"reduction", reduction_rows, Free::extents},
    {"statistics", statistics_rows, Free::nothing},   {"scan", scan_rows, Free::nothing},
    {"manipulation", manipulation_rows, Free::nothing}, {"arrangement", arrangement_rows, Free::nothing},
    {"indexing", indexing_rows, Free::nothing},       {"linear", linear_rows, Free::nothing},
    {"product", product_rows, Free::nothing},         {"row", row_rows, Free::nothing},
    {"attention", attention_rows, Free::nothing},     {"creation", creation_rows, Free::nothing},
    {"convolution", convolution_rows, Free::nothing}, {"model", model_rows, Free::nothing},
    {"linalg", linalg_rows, Free::nothing},
};

std::vector<Row> rows_of(const Family& family) {
    generator() = xg::Rng(20190512);
    return family.rows();
}

std::vector<Row> all_rows() {
    std::vector<Row> rows;
    for (const Family& family : families)
        for (Row& row : rows_of(family)) rows.push_back(std::move(row));
    return rows;
}

Tensor random(const Shape& shape, double low, double high) { return xg::uniform(shape, xg::f64, generator(), low, high); }

double distance(const Tensor& got, const Tensor& want) {
    if (got.shape() != want.shape()) return INFINITY;
    const Array a(got), b(want);
    double worst = 0;
    for (Index i = 0; i < a.size(); ++i) {
        const double d = a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i])) ? 0 : std::fabs(a[i] - b[i]) / (1 + std::fabs(b[i]));
        worst = std::isnan(d) ? INFINITY : std::max(worst, d);
    }
    return worst;
}

}  // namespace table
