// Data in files.
#pragma once
#include <string>
#include <vector>

#include "dataset.hpp"

namespace xtgrad {
namespace [[gnu::visibility("default")]] data {

/// An IDX file, gzipped or plain: f32 and f64 stay, integers become i64. The format: http://yann.lecun.com/exdb/mnist. Throws
/// IoError.
Tensor read_idx(const std::string& path);

/// MNIST, or data in its format, from a folder that holds train-images-idx3-ubyte, train-labels-idx1-ubyte and the same with
/// t10k, plain or with .gz: inputs f32 (n, 784), the pixels in [0, 1], targets i64 (n,), 0 to 9. The part is "train" or "test".
/// Throws IoError.
Dataset mnist(const std::string& folder, const std::string& part);
/// Fashion-MNIST likewise; the Debian package dataset-fashion-mnist has it in /usr/share/datasets/fashion-mnist.
Dataset fashion_mnist(const std::string& folder, const std::string& part);
/// What Fashion-MNIST's ten targets are called.
const std::vector<std::string>& fashion_mnist_classes();

struct CsvOptions {
    char separator = ',';
    bool header = true;      ///< the first line names the columns; if it is all numbers that is an error
    bool allow_nan = false;  ///< empty fields and "nan" are NaN, else an error
};
/// A table of numbers, f64 (rows, columns); the names are empty without a header.
struct Csv {
    std::vector<std::string> columns;
    Tensor values;
};
/// Reads numbers in the C locale, quoted or not, inf and -inf among them; empty lines do not count. What is too small for f64 is
/// 0. Throws IoError, naming line and column, also for a number that is too large.
Csv read_csv(const std::string& path, const CsvOptions& = {});

/// The contents of a file. Throws IoError.
std::string read_text(const std::string& path);

}  // namespace data
}  // namespace xtgrad
