// One self-contained page about a run.
#pragma once
#include <string>

#include "picture.hpp"

namespace example {

class Report {
public:
    /// A section of text as it stands.
    void add(const std::string& heading, const std::string& text);
    /// A picture becomes a part of the page.
    void add(const Picture&);
    /// The sections of another one.
    void append(const Report& other) { body_ += other.body_; }
    /// Throws std::runtime_error when the file cannot be written.
    void write(const std::string& path, const std::string& title) const;

private:
    std::string body_;
};

}  // namespace example
