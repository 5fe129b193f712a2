#include "report.hpp"

#include <fstream>
#include <stdexcept>

#include <xtgrad/data/files.hpp>

namespace example {

namespace {

std::string escaped(const std::string& text) {
    std::string result;
    for (const char c : text) switch (c) {
            case '<': result += "&lt;"; break;
            case '>': result += "&gt;"; break;
            case '&': result += "&amp;"; break;
            default: result += c;
        }
    return result;
}

std::string base64(const std::string& bytes) {
    constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        unsigned word = 0;
        for (std::size_t k = 0; k < 3; ++k)
            word = word << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0);
        for (std::size_t k = 0; k < 4; ++k) text += i + k <= bytes.size() ? digits[word >> (18 - 6 * k) & 63] : '=';
    }
    return text;
}

}  // namespace

void Report::add(const std::string& heading, const std::string& text) {
    body_ += "<h2>" + escaped(heading) + "</h2>\n<pre>" + escaped(text) + "</pre>\n";
}

void Report::add(const Picture& picture) {
    const std::string bytes = xtgrad::data::read_text(picture.path);
    if (!picture.drawn) return add(picture.title + " (no picture, but its data)", bytes);
    body_ += "<h2>" + escaped(picture.title) + "</h2>\n<img alt=\"" + escaped(picture.title) + "\" src=\"data:image/png;base64," +
             base64(bytes) + "\">\n";
}

void Report::write(const std::string& path, const std::string& title) const {
    std::ofstream file(path, std::ios::binary);
    file << "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>" << escaped(title)
         << "</title>\n<style>body { font: 16px sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em } "
            "pre { white-space: pre-wrap; overflow-wrap: anywhere; background: #f4f4f4; padding: 1em } img { max-width: 100% "
            "}</style>\n</head>\n<body>\n<h1>"
         << escaped(title) << "</h1>\n"
         << body_ << "</body>\n</html>\n";
    if (!file.flush()) throw std::runtime_error(path + ": cannot be written");
}

}  // namespace example
