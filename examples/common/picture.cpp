#include "picture.hpp"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <xtgrad/ops.hpp>

namespace example {

namespace xg = xtgrad;

namespace {

bool have_gnuplot() {
    static const bool have = std::system("command -v gnuplot > /dev/null 2>&1") == 0;
    return have;
}

/// In double quotes, for gnuplot.
std::string quoted(const std::string& text) {
    std::string result = "\"";
    for (const char c : text) {
        if (c == '\n')
            result += "\\\\n";
        else
            (c == '"' || c == '\\' ? result += '\\' : result) += c;
    }
    return result + '"';
}

/// Draws what the commands say; they find the data under the name `data`.
Picture draw(const std::string& path, const std::string& title, const std::string& data, const std::string& size,
             const std::string& commands) {
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path + ".csv") << data;
    const bool can_draw = have_gnuplot();
    if (can_draw)
        if (std::FILE* const gnuplot = popen("gnuplot > /dev/null 2>&1", "w")) {
            const std::string script = "set terminal pngcairo noenhanced size " + size + "\nset output " + quoted(path + ".png") +
                                       "\nset title " + quoted(title) +
                                       "\nset datafile separator ','\ndata = " + quoted(path + ".csv") + '\n' + commands + '\n';
            std::fwrite(script.data(), 1, script.size(), gnuplot);
            if (pclose(gnuplot) == 0) return {title, path + ".png", true};
        }
    std::printf("%s: %s; its data are in %s.csv\n", title.c_str(),
                can_draw ? "gnuplot could not draw it" : "no picture without gnuplot", path.c_str());
    return {title, path + ".csv", false};
}

std::string csv_of(const xg::Tensor& matrix) {
    const xg::Tensor x = xg::astype(matrix, xg::f64) + 0.;  // dense
    const double* p = x.data<double>();
    std::ostringstream text;
    for (xg::Index i = 0; i < x.shape(0); ++i)
        for (xg::Index j = 0; j < x.shape(1); ++j) text << *p++ << (j + 1 < x.shape(1) ? ',' : '\n');
    return text.str();
}

/// A block of lines x,y for each label, an empty line pair between them, as gnuplot's index wants it.
std::string csv_of_points(const xg::Tensor& points, const xg::Tensor& labels, xg::Index classes) {
    const xg::Tensor xy = xg::astype(points, xg::f64) + 0., which = labels + 0;
    std::ostringstream text;
    for (xg::Index c = 0; c < classes; ++c) {
        for (xg::Index i = 0; i < which.shape(0); ++i)
            if (which.data<std::int64_t>()[i] == c)
                text << xy.data<double>()[2 * i] << ',' << xy.data<double>()[2 * i + 1] << '\n';
        text << "\n\n";
    }
    return text.str();
}

/// For each curve its name and its points, in blocks as gnuplot's index wants them.
std::string csv_of_curves(const std::vector<Curve>& curves) {
    std::ostringstream text;
    for (const Curve& curve : curves) {
        text << quoted(curve.name) << '\n';
        for (const auto& [x, y] : curve.points) text << x << ',' << y << '\n';
        text << "\n\n";
    }
    return text.str();
}

std::string ticks(const char* axis, const std::vector<std::string>& names) {
    std::string text = std::string("set ") + axis + "tics scale 0 " + (*axis == 'x' ? "rotate by 60 right " : "") + '(';
    for (std::size_t i = 0; i < names.size(); ++i) text += (i ? ", " : "") + quoted(names[i]) + ' ' + std::to_string(i);
    return text + ")\n";
}

constexpr const char* key_beside = "set key outside right top\n";
constexpr const char* colours[] = {"#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd",
                                   "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22", "#17becf"};

std::string labels_of(const Axes& axes) { return "set xlabel " + quoted(axes.x) + "\nset ylabel " + quoted(axes.y) + '\n'; }

/// The axes of a matrix.
std::string named_sides(const Axes& axes, const std::vector<std::string>& rows, const std::vector<std::string>& columns) {
    return labels_of(axes) + ticks("y", rows) + ticks("x", columns) + "set xrange [-0.5:" + std::to_string(columns.size()) +
           "-0.5]\nset yrange [" + std::to_string(rows.size()) + "-0.5:-0.5]\n";
}

std::string point_plots(const std::string& first, const std::vector<std::string>& names, double size) {
    std::ostringstream text;
    for (std::size_t c = 0; c < names.size(); ++c) {
        const std::string dot = " with points pointtype 7 linecolor rgb '" + std::string(colours[c % 10]) + "' ";
        text << (c ? ", " : first) << "points index " << c << " using 1:2" << dot << "pointsize " << size << " notitle, keyentry"
             << dot << "pointsize 1.2 title " << quoted(names[c]);
    }
    return text.str();
}

}  // namespace

Picture draw_curves(const std::string& path, const std::string& title, const Axes& axes, const std::vector<Curve>& curves) {
    std::string plots;
    for (std::size_t i = 0; i < curves.size(); ++i)
        plots += (i ? ", " : "plot ") + std::string("data index ") + std::to_string(i) + " using 1:2 every ::1 with " +
                 (curves[i].points.size() < 20 ? "linespoints" : "lines") + " linewidth 2 title " + quoted(curves[i].name);
    return draw(path, title, csv_of_curves(curves), "800,500", labels_of(axes) + "set grid\n" + plots);
}

Picture draw_matrix(const std::string& path, const std::string& title, const Axes& axes, const xg::Tensor& matrix,
                    const std::vector<std::string>& rows, const std::vector<std::string>& columns) {
    return draw(path, title, csv_of(matrix), "700,640",
                named_sides(axes, rows, columns) + "set palette rgb 34,35,36\nplot data matrix with image notitle");
}

Picture draw_table(const std::string& path, const std::string& title, const Axes& axes, const xg::Tensor& percentages,
                   const std::vector<std::string>& rows, const std::vector<std::string>& columns) {
    return draw(path, title, csv_of(percentages), "900,760",
                named_sides(axes, rows, columns) +
                    "set logscale cb\nset cbrange [0.1:100]\nset palette defined (0 'white', 1 '#5f94d8')\n"
                    "plot data matrix using 1:2:($3 < 0.1 ? 0.1 : $3) with image notitle, data matrix using 1:2:($3 == 0 ? '' : "
                    "sprintf($3 < 9.95 ? '%.1f' : '%.0f', $3)) with labels notitle");
}

Picture draw_images(const std::string& path, const std::string& title, const xg::Tensor& images, std::int64_t columns) {
    const xg::Index n = images.shape(0), height = images.shape(1), width = images.shape(2), rows = (n + columns - 1) / columns;
    const xg::Tensor missing = xg::zeros({rows * columns - n, height, width}, images.dtype());
    const xg::Tensor grid = xg::reshape(xg::concatenate({images, missing}, 0), {rows, columns, height, width});
    const xg::Tensor sheet = xg::reshape(xg::permute(grid, {0, 2, 1, 3}), {rows * height, columns * width});
    return draw(path, title, csv_of(sheet),
                std::to_string(3 * columns * width + 40) + ',' + std::to_string(3 * rows * height + 60),
                "unset xtics\nunset ytics\nunset colorbox\nset yrange [*:*] reverse\nset size ratio -1\nset palette gray\n"
                "plot data matrix with image notitle");
}

Picture draw_points(const std::string& path, const std::string& title, const Axes& axes, const xg::Tensor& points,
                    const xg::Tensor& labels, const std::vector<std::string>& names) {
    return draw(path, title, csv_of_points(points, labels, xg::Index(names.size())), "900,700",
                labels_of(axes) + key_beside + "points = data\n" + point_plots("plot ", names, 0.4));
}

Picture draw_boundary(const std::string& path, const std::string& title, const xg::Tensor& values, const Rectangle& area,
                      const xg::Tensor& points, const xg::Tensor& labels, const std::vector<std::string>& names) {
    std::ofstream(path + "_points.csv") << csv_of_points(points, labels, 2);
    std::ostringstream commands;
    const double dx = (area.x1 - area.x0) / double(values.shape(1) - 1), dy = (area.y1 - area.y0) / double(values.shape(0) - 1);
    commands << labels_of({"x", "y"}) << key_beside << "points = " << quoted(path + "_points.csv")
             << "\nunset colorbox\nset cbrange [-1:1]\n"
             << "set palette defined (-1 '#9fb8ee', -0.08 '#dfe6fa', 0 '#202020', 0.08 '#fae4df', 1 '#eeb09f')\nset xrange ["
             << area.x0 << ':' << area.x1 << "]\nset yrange [" << area.y0 << ':' << area.y1 << "]\nplot data matrix using ("
             << area.x0 << "+$1*" << dx << "):(" << area.y0 << "+$2*" << dy << "):3 with image notitle, "
             << point_plots("", names, 0.6) << '\n';
    return draw(path, title, csv_of(values), "900,560", commands.str());
}

Picture draw_ways(const std::string& path, const std::string& title, const Axes& axes, const xg::Tensor& values,
                  const Rectangle& area, const std::vector<Curve>& curves) {
    const xg::Index rows = values.shape(0), columns = values.shape(1);
    const xg::Tensor x = xg::linspace(area.x0, area.x1, columns), y = xg::linspace(area.y0, area.y1, rows), z = values + 0.;
    std::ostringstream data;
    data << csv_of_curves(curves);
    for (xg::Index i = 0; i < rows; ++i, data << '\n')
        for (xg::Index j = 0; j < columns; ++j)
            data << x.data<double>()[j] << ',' << y.data<double>()[i] << ',' << z.data<double>()[i * columns + j] << '\n';
    std::ostringstream commands;
    const std::string map = "data index " + std::to_string(curves.size());
    commands
        << labels_of(axes) << "set contour base\nunset surface\nset cntrparam levels auto 15\nset table $lines\nsplot " << map
        << " using 1:2:3\nunset table\nunset title\nunset colorbox\nset palette defined (0 '#ffffff', 1 '#9fb8d8')\nset xrange ["
        << area.x0 << ':' << area.x1 << "]\nset yrange [" << area.y0 << ':' << area.y1 << "]\nset multiplot layout 1,"
        << curves.size() << " title " << quoted(title);
    for (std::size_t i = 0; i < curves.size(); ++i)  // gnuplot writes its lines without commas
        commands << "\nset title " << quoted(curves[i].name) << "\nplot " << map
                 << " using 1:2:3 with image notitle, $lines using (real(word(strcol(1), 1))):(real(word(strcol(1), 2))) with "
                    "lines linecolor rgb '#a0a8b0' notitle, data index "
                 << i
                 << " using 1:2 every ::1 with linespoints pointtype 7 pointsize 0.7 linewidth 2 linecolor rgb '#d62728' notitle";
    return draw(path, title, data.str(), std::to_string(400 * curves.size()) + ",440", commands.str());
}

Picture draw_band(const std::string& path, const std::string& title, const Axes& axes, const Band& band,
                  const xg::Tensor& points_x, const xg::Tensor& points_y) {
    const std::string columns = csv_of(xg::stack({band.x, band.mean, band.deviation}, 1));
    return draw(path, title, columns + "\n\n" + csv_of(xg::stack({points_x, points_y}, 1)), "800,500",
                labels_of(axes) +
                    "set key outside top center horizontal samplen 2\nset grid\nset style fill solid 1 noborder\n"
                    "plot data index 0 using 1:($2-2*$3):($2+2*$3) with filledcurves linecolor rgb '#c6d9f0' title " +
                    quoted(band.about) +
                    ", data index 0 using 1:2 with lines linewidth 2 linecolor rgb '#1f4e99' title 'fit', "
                    "data index 1 using 1:2 with points pointtype 7 pointsize 0.5 linecolor rgb 'black' title 'data'");
}

void tell(const Picture& picture) {
    if (picture.drawn) std::printf("\n%s: %s\n", picture.title.c_str(), picture.path.c_str());
}

}  // namespace example
