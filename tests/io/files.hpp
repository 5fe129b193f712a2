// What the tests of files share: a folder of their own, stored files, damaged copies, errors.
#pragma once
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <xtgrad/error.hpp>
#include <xtgrad/tensor.hpp>

/// A folder that lives as long as this does.
struct TemporaryFolder {
    std::filesystem::path path = [] {
        std::string name = (std::filesystem::temp_directory_path() / "xtgrad-XXXXXX").string();
        REQUIRE(mkdtemp(name.data()) != nullptr);
        return name;
    }();
    ~TemporaryFolder() { std::filesystem::remove_all(path); }
    std::string operator/(const std::string& name) const { return (path / name).string(); }
};

/// A file of tests/io/files, made by make_files.py.
inline std::string stored(const std::string& name) { return XTGRAD_TEST_FOLDER "/io/files/" + name; }

inline std::string contents(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}
inline void write(const std::string& path, std::string_view bytes) {
    std::filesystem::remove(path);  // a file that is written over is synced by some file systems: 5 ms each
    std::ofstream(path, std::ios::binary).write(bytes.data(), std::streamsize(bytes.size()));
}

/// The message of the error that f throws; "" when it throws none. An IoError names the path.
template <class E = xtgrad::IoError>
std::string message(auto&& f) {
    try {
        f();
    } catch (const E& error) {
        return error.what();
    }
    return "";
}

/// f() in a process that may have so many more bytes than it has.
inline void with_memory(std::size_t bytes, auto&& f) {
    std::size_t pages;
    std::ifstream("/proc/self/statm") >> pages;
    rlimit before;
    REQUIRE(getrlimit(RLIMIT_AS, &before) == 0);
    const rlimit limit{rlim_t(pages * std::size_t(sysconf(_SC_PAGESIZE)) + bytes), before.rlim_max};
    REQUIRE(setrlimit(RLIMIT_AS, &limit) == 0);
    f();
    REQUIRE(setrlimit(RLIMIT_AS, &before) == 0);
}

inline bool contains(const std::string& text, std::string_view part) {
    const bool found = text.find(part) != text.npos;
    if (!found) MESSAGE("'" << part << "' is not in '" << text << "'");
    return found;
}

template <class T>
std::vector<T> elements(const xtgrad::Tensor& x) {
    const T* p = x.data<T>();  // of dense tensors
    return std::vector<T>(p, p + x.size());
}
