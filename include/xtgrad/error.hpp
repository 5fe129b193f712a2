// What xtgrad throws. The message names the op, what is wrong with which shapes and dtypes, and what to do.
#pragma once
#include <stdexcept>

namespace [[gnu::visibility("default")]] xtgrad {

/// The base of every exception that xtgrad throws.
class Error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// Shapes, axes or extents that do not fit.
class ShapeError : public Error {
public:
    using Error::Error;
};

/// A dtype that an op does not take, or a mixture of dtypes.
class DtypeError : public Error {
public:
    using Error::Error;
};

/// An index out of range.
class IndexError : public Error {
public:
    using Error::Error;
};

/// A tape used in a way that cannot give a right gradient.
class TapeError : public Error {
public:
    using Error::Error;
};

/// A file that cannot be read or written.
class IoError : public Error {
public:
    using Error::Error;
};

}  // namespace xtgrad
